import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { AttemptKind, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { type Begun, refusal } from "./testing-steps.ts";

const { setup, rows, accountId } = await startTestWriter();

function setupLate() {
  const steps = setup();
  const giveUp = ({ attempt: { attemptId, fence } }: Begun, change: { fence?: number } = {}) =>
    steps.writer.giveUpAttempt({ accountId, requestId: "g", attemptId, fence, delayMs: 60_000n, ...change });
  const settleLate = ({ attempt: { attemptId } }: Begun, kind: OutcomeKind) => {
    const ids = { accountId, requestId: "l", attemptId, returnAttemptId: createId("att_") };
    return steps.writer.settleLateAttempt({ ...ids, returnKind: AttemptKind.REVERSE, outcome: { kind } });
  };
  const transfersOf = ({ charge: { chargeId } }: Begun) =>
    rows("select kind from ledger_transfer where charge_id = $1 order by kind", chargeId);
  const automaticOf = ({ charge: { chargeId } }: Begun) =>
    rows<{ attempt_id: string }>("select attempt_id from attempt where charge_id = $1 and is_automatic", chargeId);
  return { ...steps, giveUp, settleLate, transfersOf, automaticOf };
}

test("giveUpAttempt fails the charge once, with its event and its answer, for the holder of the fence alone", async () => {
  const { beginCharge, giveUp, writer } = setupLate();
  const begun = await beginCharge();
  expect(await giveUp(begun, { fence: 7 })).toMatchObject({ isGivenUp: false });
  expect(await giveUp(begun)).toMatchObject({ isGivenUp: true });
  expect(await giveUp(begun)).toMatchObject({ isGivenUp: false });
  const events = "select type from event where object_id = $1";
  expect(await rows(events, begun.charge.chargeId)).toEqual([{ type: "charge.failed" }]);
  const again = await writer.beginCharge(begun.request);
  expect(again).toMatchObject({ charge: { state: ChargeState.FAILED, decline: { reason: "processing_error" } } });
  expect(again.attempt).toBeUndefined();
});

test("giveUpAttempt and settleCharge at once have one winner", async () => {
  const { beginCharge, giveUp, settleCharge } = setupLate();
  for (let round = 0; round < 10; round += 1) {
    const begun = await beginCharge();
    const [given, settled] = await Promise.all([
      giveUp(begun),
      settleCharge(begun, OutcomeKind.ACCEPTED).catch(() => undefined),
    ]);
    const state =
      "select c.state, t.state as attempt_state from charge c join attempt t using (account_id, charge_id) where charge_id = $1";
    const expected = given.isGivenUp
      ? { state: "failed", attempt_state: "given_up" }
      : { state: "succeeded", attempt_state: "succeeded" };
    expect(await rows(state, begun.charge.chargeId)).toEqual([expected]);
    expect(settled?.isSettledHere ?? false).toBe(!given.isGivenUp);
  }
});

test("settleLateAttempt raced ten ways books once, and begins one return", async () => {
  const { beginCharge, giveUp, settleLate, transfersOf, automaticOf } = setupLate();
  const begun = await beginCharge();
  await giveUp(begun);
  const all = await Promise.all(Array.from({ length: 10 }, () => settleLate(begun, OutcomeKind.ACCEPTED)));
  expect(all.filter(({ isSettledHere }) => isSettledHere)).toHaveLength(1);
  expect(await transfersOf(begun)).toEqual([{ kind: "late_charge" }]);
  expect(await automaticOf(begun)).toHaveLength(1);
});

test("a hold that its bank made late is let go, and nothing is booked: no money moved", async () => {
  const { beginCharge, giveUp, settleLate, transfersOf, automaticOf, writer } = setupLate();
  const begun = await beginCharge(undefined, { isHeld: true });
  await giveUp(begun);
  expect(await settleLate(begun, OutcomeKind.ACCEPTED)).toMatchObject({ isSettledHere: true });
  const [release] = await automaticOf(begun);
  expect(await transfersOf(begun)).toEqual([]);
  const accepted = { kind: OutcomeKind.ACCEPTED };
  const released = { accountId, requestId: "a", attemptId: release?.attempt_id ?? "", outcome: accepted };
  expect(await writer.settleAutomaticReturn(released)).toMatchObject({ isSettledHere: true });
  expect(await transfersOf(begun)).toEqual([]);
});

test("settleLateAttempt books nothing of what the bank did not do, and refuses an attempt that was not given up", async () => {
  const { beginCharge, giveUp, settleLate, transfersOf, automaticOf } = setupLate();
  const [declined, open] = [await beginCharge(), await beginCharge()];
  await giveUp(declined);
  expect(await settleLate(declined, OutcomeKind.DECLINED)).toMatchObject({ isSettledHere: true });
  expect([await transfersOf(declined), await automaticOf(declined)]).toEqual([[], []]);
  const early = await refusal(settleLate(open, OutcomeKind.ACCEPTED));
  expect(early).toMatchObject({ code: Code.FailedPrecondition, reason: "ATTEMPT_NOT_GIVEN_UP" });
  const unknown = await refusal(settleLate(open, OutcomeKind.UNKNOWN));
  expect(unknown).toMatchObject({ reason: "OUTCOME_NOT_FINAL" });
});

test("a late no after a late yes is two answers that disagree", async () => {
  const { beginCharge, giveUp, settleLate, transfersOf } = setupLate();
  const begun = await beginCharge();
  await giveUp(begun);
  await settleLate(begun, OutcomeKind.ACCEPTED);
  expect(await refusal(settleLate(begun, OutcomeKind.DECLINED))).toMatchObject({ reason: "ANSWERS_DISAGREE" });
  expect(await transfersOf(begun)).toEqual([{ kind: "late_charge" }]);
});

test("settleAutomaticReturn books once what was given back, and calls a person when the bank refuses", async () => {
  const { beginCharge, giveUp, settleLate, automaticOf, transfersOf, writer } = setupLate();
  const settle = (attemptId: string, kind: OutcomeKind) =>
    writer.settleAutomaticReturn({ accountId, requestId: "a", attemptId, outcome: { kind } });
  const automatic = async (begun: Begun) => {
    await giveUp(begun);
    await settleLate(begun, OutcomeKind.ACCEPTED);
    return (await automaticOf(begun))[0]?.attempt_id ?? "";
  };
  const [given, refused] = [await beginCharge(), await beginCharge()];
  const [givenId, refusedId] = [await automatic(given), await automatic(refused)];
  expect(await settle(givenId, OutcomeKind.ACCEPTED)).toMatchObject({ isSettledHere: true });
  expect(await settle(givenId, OutcomeKind.ACCEPTED)).toMatchObject({ isSettledHere: false });
  expect(await transfersOf(given)).toEqual([{ kind: "late_charge" }, { kind: "late_return" }]);
  expect(await settle(refusedId, OutcomeKind.DECLINED)).toMatchObject({ isSettledHere: true });
  expect(await transfersOf(refused)).toEqual([{ kind: "late_charge" }]);
  const alerts = "select reason from alert where object_id = $1 and resolve_time is null";
  expect(await rows(alerts, refusedId)).toEqual([{ reason: "LATE_RETURN_DECLINED" }]);
  // A person has seen to it, once.
  const resolve = (reason: string) => writer.resolveAlerts({ accountId, requestId: "r", objectId: refusedId, reason });
  expect(await resolve("ANSWERS_DISAGREE")).toMatchObject({ resolvedCount: 0 });
  expect(await resolve("LATE_RETURN_DECLINED")).toMatchObject({ resolvedCount: 1 });
  expect(await resolve("LATE_RETURN_DECLINED")).toMatchObject({ resolvedCount: 0 });
  expect(await rows(alerts, refusedId)).toEqual([]);
});

test("resolveAlert closes one alert and keeps its row; the same fault raises another", async () => {
  const { beginReturn, succeedCharge, writer } = setupLate();
  const { charge } = await succeedCharge();
  const begun = await beginReturn(charge.chargeId, 100n);
  const { attemptId, fence } = begun.attempt;
  const isOpen = async () =>
    (
      await rows<{ open: boolean }>(
        "select resolve_time is null as open from alert where object_id = $1 order by 1",
        attemptId,
      )
    ).map(({ open }) => open);
  const overdue = () => writer.giveUpAttempt({ accountId, requestId: "g", attemptId, fence, delayMs: 60_000n });
  await overdue();
  await overdue();
  expect(await isOpen()).toEqual([true]);
  const [raised] = await rows<{ alert_id: string }>("select alert_id from alert where object_id = $1", attemptId);
  const alertId = raised?.alert_id ?? "";
  expect(await writer.resolveAlert({ accountId, alertId })).toMatchObject({ wasOpen: true });
  expect(await writer.resolveAlert({ accountId, alertId })).toMatchObject({ wasOpen: false });
  expect(await isOpen()).toEqual([false]);
  await overdue();
  expect(await isOpen()).toEqual([false, true]);
  const missing = await refusal(writer.resolveAlert({ accountId, alertId: "alert_none" }));
  expect(missing).toMatchObject({ code: Code.NotFound, reason: "ALERT_NOT_FOUND" });
});

test("checkDatabase writes: the heartbeat is of this moment, and the page it tried is not there", async () => {
  const { writer } = setupLate();
  const beat = () => rows<{ beat_time: Date }>("select beat_time from heartbeat");
  const [before] = await beat();
  await writer.checkDatabase({});
  const [after] = await beat();
  expect(after?.beat_time.getTime()).toBeGreaterThan(before?.beat_time.getTime() ?? Number.NaN);
  expect(await rows("select count(*)::int as count from heartbeat_page")).toEqual([{ count: 0 }]);
});
