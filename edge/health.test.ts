import { create } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import { GetStatusResponseSchema } from "../gen/tripe/bank/v1/bank_service_pb.ts";
import {
  GetStatusResponseSchema as SchedulerStatusSchema,
  Sweep,
} from "../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { connectDatabase } from "../services/_database/connect.ts";
import { createTestClock, systemClock } from "../services/_runtime/clock.ts";
import { createIdFactory } from "../services/_runtime/ids.ts";
import { silentLog } from "../services/_runtime/log.ts";
import { startServer } from "../services/mailer/testing/mail-server.ts";
import { createBoundedCheck } from "./bounded-check.ts";
import { createHealthChecks } from "./health-checks.ts";
import { startBench } from "./testing/tripe.ts";

// A mail server that is not there yet, when the mailer starts.
const gone = await startServer();
await gone.close();
const calls: string[] = [];
const bench = await startBench({
  smtpUrl: gone.url,
  observe: ({ service, rpc }) => calls.push(`${service}.${rpc}`),
});

async function ask(url: string) {
  const { statusCode, body } = await bench.app.inject({ url });
  return { statusCode, lines: body.trim().split("\n") };
}

const lines = async () => (await ask("/healthz")).lines;
const alerts = async () => (await lines()).filter((line) => line.startsWith("alert"));
/** Longer than an answer is given again. */
const patient = { timeout: 5_000, interval: 100 };

function setup() {
  const url = bench.tripe.database.urls.owner;
  const owner = connectDatabase({ url, role: "owner", connectionsMax: 2, log: silentLog });
  onTestFinished(() => owner.close());
  return (text: string, values: unknown[] = []) => owner.query({ name: "", text }, values);
}

test("healthz names each service; readyz asks those money needs; livez asks nobody", async () => {
  await expect
    .poll(() => ask("/readyz"), patient)
    .toEqual({
      statusCode: 200,
      lines: ["edge serving", "reader serving", "writer serving", "bank serving", "transactions serving"],
    });
  expect(await ask("/healthz")).toMatchObject({
    statusCode: 503,
    lines: expect.arrayContaining([
      expect.stringMatching(/^scheduler not serving: no answer for \d+ s$/),
      "reader serving",
    ]),
  });
  await bench.tripe.stopService("bank");
  await expect
    .poll(() => ask("/readyz"), patient)
    .toMatchObject({
      statusCode: 503,
      lines: expect.arrayContaining([expect.stringMatching(/^bank not serving: no answer for \d+ s$/)]),
    });
  expect((await bench.app.inject({ url: "/readyz" })).headers["retry-after"]).toBe("1");
  expect(await ask("/livez")).toEqual({ statusCode: 200, lines: ["edge serving"] });
  await bench.tripe.startService("bank");
  await expect.poll(async () => (await ask("/readyz")).statusCode, patient).toBe(200);
});

test("a flood of questions asks each service once", async () => {
  await expect.poll(async () => (await ask("/readyz")).statusCode, patient).toBe(200);
  const asked = () => calls.filter((call) => call === "writer.CheckDatabase").length;
  const flood = () =>
    Promise.all(["/healthz", "/readyz"].flatMap((url) => Array.from({ length: 200 }, () => ask(url))));
  const [startMs, before] = [systemClock.preciseMs(), asked()];
  await expect.poll(async () => flood().then(asked), { timeout: 5_000, interval: 20 }).toBeGreaterThan(before);
  // The scheduler is away in this bench, so that an answer is given again for the shorter time, 0.2 s.
  const roundsMax = 1 + Math.ceil((systemClock.preciseMs() - startMs) / 200);
  expect(asked() - before).toBeLessThanOrEqual(roundsMax);
});

test("a check that hangs keeps nobody waiting, asks once, and says for how long", async () => {
  const clock = createTestClock();
  const answers: ((words: string) => void)[] = [];
  const question = () => new Promise<string>((resolve) => answers.push(resolve));
  const check = createBoundedCheck({ ask: question, waitMs: 900, clock });
  const [first, second] = [check(), check()];
  clock.advance(900);
  expect(await Promise.all([first, second])).toEqual([{ silentMs: 900 }, { silentMs: 900 }]);
  const third = check();
  clock.advance(5_100);
  expect(await third).toEqual({ silentMs: 6_000 });
  expect(answers).toHaveLength(1);
  const fourth = check();
  answers[0]?.("well");
  expect(await fourth).toEqual({ answer: "well" });
});

test("a bank that Tripe is not signed on with is not ready, with its seconds, until it is back", async () => {
  await bench.tripe.stopBank();
  await expect
    .poll(() => ask("/readyz"), patient)
    .toMatchObject({
      statusCode: 503,
      lines: expect.arrayContaining([expect.stringMatching(/^bank not serving: not signed on for \d+ s$/)]),
    });
  expect(await alerts()).toContainEqual(expect.stringMatching(/^alert BANK_AWAY sandbox not signed on for \d+ s$/));
  await bench.tripe.startBank();
  await expect.poll(async () => (await ask("/readyz")).statusCode, patient).toBe(200);
  // The sandbox's bank and that of live accounts are signed on with one after the other.
  await expect.poll(async () => (await alerts()).filter((line) => line.includes("BANK_AWAY")), patient).toEqual([]);
});

test.each([
  { away: ["live"], problem: "not signed on for 7 s" },
  { away: ["sandbox"], problem: "" },
  { away: ["sandbox", "live"], problem: "not signed on for 7 s" },
  { away: [], problem: "" },
])(
  "where there is a bank of live accounts, money moves while that one is signed on (away: $away)",
  async (expected) => {
    const banks = ["sandbox", "live"].map((bank) => ({
      bank,
      isLive: bank === "live",
      ...(expected.away.includes(bank) && { awayDuration: { seconds: 7n, nanos: 0 } }),
    }));
    const clients = {
      ...bench.tripe.clientsOf("edge"),
      bank: {
        ...bench.tripe.clientsOf("edge").bank,
        getStatus: () => Promise.resolve(create(GetStatusResponseSchema, { banks })),
      },
    };
    const checks = createHealthChecks({ clients, clock: systemClock, isServing: () => Promise.resolve(true) });
    const found = (await Promise.all(checks.map((check) => check()))).find(({ name }) => name === "bank");
    expect(found?.problem).toBe(expected.problem);
    expect(found?.alerts.map(({ subject }) => subject)).toEqual(expected.away);
  },
);

test("a sweep that keeps failing is an alert, and one that failed now and then is none", async () => {
  const sweeps = [
    { sweep: Sweep.EVENTS, failureCount: 5, failureReason: "DATABASE_UNAVAILABLE" },
    { sweep: Sweep.MAILS, failureCount: 4, failureReason: "UNAVAILABLE" },
  ];
  const clients = {
    ...bench.tripe.clientsOf("edge"),
    scheduler: { getStatus: () => Promise.resolve(create(SchedulerStatusSchema, { sweeps })) },
  };
  const checks = createHealthChecks({ clients, clock: systemClock, isServing: () => Promise.resolve(true) });
  const found = (await Promise.all(checks.map((check) => check()))).find(({ name }) => name === "scheduler");
  const words = "events: failed 5 times: DATABASE_UNAVAILABLE";
  expect(found).toMatchObject({ problem: "", alerts: [{ reason: "SWEEP_FAILING", subject: "events", words }] });
});

test("a mail server that is away is an alert from the start, and money does not wait for it", async () => {
  await expect
    .poll(alerts, patient)
    .toContainEqual(
      expect.stringMatching(/^alert MAIL_SERVER_AWAY the mail server is not there: nothing listens, for \d+ s$/),
    );
  expect((await ask("/readyz")).statusCode).toBe(200);
  expect(await lines()).toContain("mailer serving");
  const { problem } = await bench.tripe.clientsOf("edge").mailer.getStatus({});
  expect(problem).toBe("is not there: nothing listens");
  const server = await startServer({ port: Number(new URL(gone.url).port) });
  onTestFinished(() => server.close());
  // It is tried again after 1, 2, 4 … seconds.
  await expect.poll(alerts, { timeout: 30_000, interval: 200 }).toEqual([]);
});

test("healthz has a line for what waits for a person, until a person has seen to it", async () => {
  const run = setup();
  await expect.poll(alerts, patient).toEqual([]);
  await run(
    `insert into alert select $1, 'alert_' || n, 'ANSWERS_DISAGREE', 'ch_' || n, '{}',
      statement_timestamp() + n * interval '1 s' from generate_series(1, 2) n`,
    [bench.tripe.accountId],
  );
  await expect.poll(alerts, patient).toEqual(["alert ANSWERS_DISAGREE 2"]);
  const { reader } = bench.tripe.clientsOf("edge");
  expect((await reader.countAlerts({})).counts).toMatchObject([{ reason: "ANSWERS_DISAGREE", count: 2n }]);
  await run("update alert set resolve_time = statement_timestamp() where alert_id = 'alert_2'");
  await expect.poll(alerts, patient).toEqual(["alert ANSWERS_DISAGREE 1"]);
  const listed = await bench.tripe.clientsOf("operator").reader.listAlerts({ limit: 10 });
  expect(
    listed.alerts.map(({ alertId, objectId, resolveTime }) => [alertId, objectId, resolveTime !== undefined]),
  ).toEqual([
    ["alert_1", "ch_1", false],
    ["alert_2", "ch_2", true],
  ]);
  await run("update alert set resolve_time = statement_timestamp()");
  await expect.poll(alerts, patient).toEqual([]);
});

test("an event that nobody has taken up for ten minutes is an alert, and a younger one is none", async () => {
  const run = setup();
  const payload = { url: "https://example.com/hook", enabled_events: ["customer.created"] };
  expect((await bench.ask({ method: "POST", url: "/v1/webhook_endpoints", payload })).status).toBe(200);
  const customer = await bench.ask({ method: "POST", url: "/v1/customers", payload: { name: "Ann" } });
  expect(customer.status).toBe(200);
  const { reader } = bench.tripe.clientsOf("edge");
  expect((await reader.getOldestDue({})).eventTime).toBeDefined();
  expect(await alerts()).toEqual([]);
  const old = createIdFactory(createTestClock(systemClock.nowMs() - 11 * 60_000 - 5_000))("evt_");
  await run("update event set event_id = $1 where object_id = $2", [old, customer.body["id"]]);
  // How late queues are is asked every ten seconds.
  await expect
    .poll(alerts, { timeout: 20_000, interval: 500 })
    .toEqual(["alert QUEUE_LATE events: the oldest is due for 11 min"]);
  await run("update event set dispatch_time = statement_timestamp()");
  await expect.poll(alerts, { timeout: 20_000, interval: 500 }).toEqual([]);
});
