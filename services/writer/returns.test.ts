import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { refusal } from "./testing-steps.ts";

const { setup, rows, liveAccountId, accountId } = await startTestWriter();

const returnedMinorOf = async (chargeId: string) => {
  const text = "select returned_minor from charge where charge_id = $1";
  return (await rows<{ returned_minor: bigint }>(text, chargeId))[0]?.returned_minor;
};

test("beginReturn never holds back more than was captured, however many race", async () => {
  const { succeedCharge, beginReturn } = setup();
  const { chargeId } = (await succeedCharge()).charge;
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => beginReturn(chargeId, 300n)));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(6);
  expect(await refusal(beginReturn(chargeId, 300n))).toMatchObject({ reason: "RETURN_EXCEEDS_CHARGE" });
  const last = await beginReturn(chargeId, 0n);
  expect(last.record.amount?.amountMinor).toBe(200n);
  expect(await refusal(beginReturn(chargeId, 0n))).toMatchObject({ reason: "CHARGE_ALREADY_RETURNED" });
  expect(await refusal(beginReturn("ch_none", 0n))).toMatchObject({ reason: "CHARGE_NOT_FOUND" });
});

test("beginReturn refuses a charge that has not succeeded, and another account's", async () => {
  const { writer, key, beginCharge, settleCharge, beginReturn } = setup();
  const begun = await beginCharge();
  const { chargeId } = begun.charge;
  expect(await refusal(beginReturn(chargeId, 0n))).toMatchObject({ reason: "CHARGE_NOT_SUCCEEDED" });
  await settleCharge(begun, OutcomeKind.DECLINED);
  expect(await refusal(beginReturn(chargeId, 0n))).toMatchObject({ reason: "CHARGE_NOT_SUCCEEDED" });
  const ids = { returnId: createId("re_"), attemptId: createId("att_"), chargeId };
  const theirs = writer.beginReturn({ ...key(), accountId: liveAccountId, ...ids, amountMinor: 0n });
  expect(await refusal(theirs)).toMatchObject({ code: Code.NotFound, reason: "CHARGE_NOT_FOUND" });
});

test("beginReturn answers its request again with the same return, and refuses its id for another", async () => {
  const { writer, key, succeedCharge, settleReturn } = setup();
  const { chargeId } = (await succeedCharge()).charge;
  const request = { ...key(), returnId: createId("re_"), attemptId: createId("att_"), chargeId, amountMinor: 100n };
  const { attempt } = await writer.beginReturn(request);
  if (attempt === undefined) throw new Error("a return begun has an attempt");
  const { record } = await settleReturn({ attempt }, OutcomeKind.ACCEPTED);
  const again = { ...request, returnId: createId("re_"), attemptId: createId("att_") };
  const replayed = await writer.beginReturn(again);
  expect(replayed.attempt).toBeUndefined();
  expect(replayed.return).toEqual(record);
  expect(await returnedMinorOf(chargeId)).toBe(100n);
  const other = writer.beginReturn({ ...again, requestDigest: new Uint8Array([2]) });
  expect(await refusal(other)).toMatchObject({ code: Code.AlreadyExists, reason: "REQUEST_ID_REUSED" });
});

test("settleReturn books a return against the charge, once", async () => {
  const { succeedCharge, beginReturn, settleReturn } = setup();
  const { chargeId } = (await succeedCharge()).charge;
  const begun = await beginReturn(chargeId, 500n);
  const { record } = await settleReturn(begun, OutcomeKind.ACCEPTED);
  expect(record.state).toBe(ReturnState.SUCCEEDED);
  expect(await settleReturn(begun, OutcomeKind.ACCEPTED)).toMatchObject({ isSettledHere: false });
  const sums = await rows(
    "select ledger_account, sum(amount_minor)::bigint as sum from ledger_entry join ledger_transfer using (ledger_transfer_id) where charge_id = $1 group by 1 order by 1",
    chargeId,
  );
  expect(sums).toEqual([
    { ledger_account: "bank_clearing", sum: 1500n },
    { ledger_account: "fees", sum: -88n },
    { ledger_account: "merchant_balance", sum: -1412n },
  ]);
  const events = "select type from event where object_id in ($1, $2) order by event_id";
  expect(await rows(events, record.returnId, chargeId)).toEqual(
    expect.arrayContaining([{ type: "refund.created" }, { type: "charge.refunded" }]),
  );
});

test("settleReturn gives the amount of a failed return back to the charge", async () => {
  const { succeedCharge, beginReturn, settleReturn } = setup();
  const { chargeId } = (await succeedCharge()).charge;
  const begun = await Promise.all([1, 2, 3].map(() => beginReturn(chargeId, 500n)));
  expect(await returnedMinorOf(chargeId)).toBe(1500n);
  const settled = await Promise.all(begun.map((one) => settleReturn(one, OutcomeKind.DECLINED)));
  expect(settled.map((one) => one.record.state)).toEqual([ReturnState.FAILED, ReturnState.FAILED, ReturnState.FAILED]);
  expect(await returnedMinorOf(chargeId)).toBe(0n);
  const again = await settleReturn({ attempt: begun[0]?.attempt ?? missing() }, OutcomeKind.DECLINED);
  expect(again.isSettledHere).toBe(false);
  expect(await returnedMinorOf(chargeId)).toBe(0n);
});

test("settleReturn refuses what is not final, what is not there, and a second answer that disagrees", async () => {
  const { succeedCharge, beginReturn, settleReturn } = setup();
  const { chargeId } = (await succeedCharge()).charge;
  const { attempt } = await beginReturn(chargeId, 500n);
  expect(await refusal(settleReturn({ attempt }, OutcomeKind.UNKNOWN))).toMatchObject({ reason: "OUTCOME_NOT_FINAL" });
  const stranger = { ...attempt, attemptId: "att_none" };
  expect(await refusal(settleReturn({ attempt: stranger }, OutcomeKind.ACCEPTED))).toMatchObject({
    reason: "ATTEMPT_NOT_FOUND",
  });
  await settleReturn({ attempt }, OutcomeKind.ACCEPTED);
  const refused = await refusal(settleReturn({ attempt }, OutcomeKind.DECLINED));
  expect(refused).toMatchObject({ reason: "ANSWERS_DISAGREE" });
  expect(await rows("select 1 from alert where object_id = $1", attempt.attemptId)).toHaveLength(1);
  expect(await returnedMinorOf(chargeId)).toBe(500n);
});

test("settleReturn refuses an attempt under another charge's name: no two of one charge may share a commit", async () => {
  const { writer, succeedCharge, beginReturn } = setup();
  const [one, two] = [(await succeedCharge()).charge, (await succeedCharge()).charge];
  const { attempt, record } = await beginReturn(one.chargeId, 500n);
  const { attemptId, fence } = attempt;
  const settle = writer.settleReturn({
    ...{ accountId, requestId: attemptId, returnId: record.returnId, chargeId: two.chargeId, attemptId, fence },
    outcome: { kind: OutcomeKind.DECLINED, bank: "sandbox", decline: { reason: "lost_card" } },
  });
  expect(await refusal(settle)).toMatchObject({ code: Code.NotFound, reason: "ATTEMPT_NOT_FOUND" });
  expect(await returnedMinorOf(one.chargeId)).toBe(500n);
});

function missing(): never {
  throw new Error("three returns were begun");
}
