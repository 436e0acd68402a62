import { expect, test } from "vitest";
import { drawJobs } from "./draw-jobs.ts";

const idle = { name: "mail", waitingCount: 0, activeCount: 0, oldestAgeMs: undefined };

test("queues are a table, with what waits, what is done and how old the oldest is", () => {
  const webhook = { name: "webhook", waitingCount: 12, activeCount: 3, oldestAgeMs: 65_000 };
  const dead = { name: "webhook_dead", waitingCount: 1, activeCount: 0, oldestAgeMs: 9_000_000 };
  const text = drawJobs({
    queues: [idle, webhook, dead],
    ...{ dueCount: 15n, deadCount: 2n, oldestAgeMs: 180_000 },
    alerts: [
      {
        alertId: "alert_1",
        reason: "ATTEMPT_GIVEN_UP",
        objectId: "att_1",
        ageMs: 9_000_000,
        resolvedAgeMs: undefined,
      },
      { alertId: "alert_2", reason: "ANSWERS_DISAGREE", objectId: "", ageMs: 90_000, resolvedAgeMs: 5_000 },
    ],
  });
  expect(text.split("\n")).toEqual([
    "queue           waiting   active   oldest",
    "mail                  0        0        -",
    "webhook              12        3     65 s",
    "webhook_dead          1        0      2 h",
    "deliveries: 15 due, the latest by 3 min; 2 dead: npm run jobs -- redrive webhook",
    "alerts: 1 open: npm run jobs -- resolve <alert>",
    "  alert_1  ATTEMPT_GIVEN_UP  att_1  raised 2 h ago",
    "  alert_2  ANSWERS_DISAGREE  raised 90 s ago, resolved 5 s ago",
    "",
  ]);
});

test("where nothing waits it says so", () => {
  const text = drawJobs({ queues: [], dueCount: 0n, deadCount: 0n, oldestAgeMs: undefined, alerts: [] });
  expect(text).toContain("deliveries: 0 due, none late; none dead\nalerts: none open\n");
});
