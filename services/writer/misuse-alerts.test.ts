import { expect, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { startTestWriter } from "./testing.ts";
import { createSteps } from "./testing-steps.ts";

const { setup, accountId, liveAccountId, rows } = await startTestWriter();
const { writer } = setup();

/** Makes so many charges of an account that end this way, eight at once. */
async function charge(ofAccountId: string, count: number, outcome: OutcomeKind) {
  const steps = createSteps(writer, ofAccountId);
  const payer = await steps.createPayer();
  for (let made = 0; made < count; made += 8) {
    const some = Array.from({ length: Math.min(8, count - made) }, () => steps.beginCharge(payer));
    await Promise.all(some.map(async (begun) => steps.settleCharge(await begun, outcome)));
  }
}

const openAlerts = (reason: string) =>
  rows<{ object_id: string; details: unknown }>(
    "select object_id, details from alert where reason = $1 and resolve_time is null",
    reason,
  );

/** Dispatches all events that wait, and says whether there is an alert then. */
async function check(ofAccountId: string): Promise<boolean> {
  while ((await writer.dispatchEvents({ limit: 500 })).takenCount > 0);
  return (await openAlerts("DECLINES_HIGH")).some(({ object_id }) => object_id === ofAccountId);
}

test("dispatchEvents raises one alert when half of a live account's last 100 charges failed", async () => {
  await charge(liveAccountId, 49, OutcomeKind.DECLINED);
  expect(await check(liveAccountId)).toBe(false);
  await charge(liveAccountId, 51, OutcomeKind.ACCEPTED);
  expect(await check(liveAccountId)).toBe(false);
  await charge(liveAccountId, 2, OutcomeKind.DECLINED);
  // The last hundred: 49 and 2 that failed, less the two oldest of them.
  expect(await check(liveAccountId)).toBe(false);
  await charge(liveAccountId, 50, OutcomeKind.DECLINED);
  expect(await check(liveAccountId)).toBe(true);
  await charge(liveAccountId, 1, OutcomeKind.DECLINED);
  await check(liveAccountId);
  expect(await openAlerts("DECLINES_HIGH")).toMatchObject([{ object_id: liveAccountId, details: { of: "100" } }]);
});

test("dispatchEvents leaves the declines of sandbox accounts alone: test cards are there to be declined", async () => {
  await charge(accountId, 100, OutcomeKind.DECLINED);
  expect(await check(accountId)).toBe(false);
});

test("reportBrowserKey raises one alert for a key", async () => {
  for (let times = 0; times < 2; times += 1) await writer.reportBrowserKey({ accountId, apiKeyId: "key_1" });
  expect(await openAlerts("SECRET_KEY_IN_BROWSER")).toMatchObject([{ object_id: "key_1" }]);
});
