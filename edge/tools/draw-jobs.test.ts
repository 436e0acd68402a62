import { expect, test } from "vitest";
import { drawJobs } from "./draw-jobs.ts";

const none = { dueCount: 0n, deadCount: 0n, lateMs: undefined };

test("work is a table, with what is due, what is dead and how late the latest is", () => {
  const text = drawJobs({
    work: [
      { ...none, name: "events" },
      { name: "webhooks", dueCount: 15n, deadCount: 2n, lateMs: 180_000 },
      { name: "mails", dueCount: 1n, deadCount: 0n, lateMs: undefined },
    ],
    dead: [
      {
        ...{ name: "webhooks", objectId: "evt_1", webhookEndpointId: "we_1" },
        ...{ problem: "the server answered 500", ageMs: 9_000_000 },
      },
      { name: "mails", objectId: "evt_2", webhookEndpointId: "", problem: "", ageMs: 65_000 },
    ],
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
    "work                due     dead  late by",
    "events                0        0        -",
    "webhooks             15        2    3 min",
    "mails                 1        0        -",
    "dead: 2: npm run jobs -- redrive webhook, or mail",
    "  webhooks  evt_1  we_1  the server answered 500  made 2 h ago",
    "  mails  evt_2  made 65 s ago",
    "alerts: 1 open: npm run jobs -- resolve <alert>",
    "  alert_1  ATTEMPT_GIVEN_UP  att_1  raised 2 h ago",
    "  alert_2  ANSWERS_DISAGREE  raised 90 s ago, resolved 5 s ago",
    "",
  ]);
});

test("where nothing waits it says so", () => {
  const text = drawJobs({ work: [{ ...none, name: "mails" }], dead: [], alerts: [] });
  expect(text).toContain("mails                 0        0        -\ndead: none\nalerts: none open\n");
});
