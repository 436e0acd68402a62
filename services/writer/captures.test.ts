import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { AttemptKind, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { type Clock, createTestClock } from "../_runtime/clock.ts";
import { createId } from "../_runtime/ids.ts";
import { createWriterClient, startTestWriter } from "./testing.ts";
import { createSteps, refusal } from "./testing-steps.ts";

const { setup, rows, database, accountId, liveAccountId } = await startTestWriter();

/** Steps with a writer whose waiting takes no time. */
const hasty = () => createSteps(createWriterClient(database, hastyClock()), accountId);

function hastyClock(): Clock {
  const clock = createTestClock();
  return { ...clock, sleep: async (ms) => clock.advance(ms) };
}

const told = async (id: string) =>
  (await rows<{ type: string }>("select type from event where object_id = $1 order by event_id", id)).map(
    ({ type }) => type,
  );
const entries = (chargeId: string) =>
  rows<{ ledger_account: string; amount_minor: bigint }>(
    `select ledger_account, amount_minor from ledger_entry join ledger_transfer using (account_id, ledger_transfer_id)
      where charge_id = $1 order by ledger_account`,
    chargeId,
  );
const age = (chargeId: string) =>
  rows("update charge set capture_before_time = create_time - interval '1 s' where charge_id = $1", chargeId);

test("a hold asks the bank to authorize, and its settlement books nothing", async () => {
  const { beginCharge, settleCharge } = setup();
  const begun = await beginCharge(undefined, { isHeld: true });
  expect(begun.attempt.kind).toBe(AttemptKind.AUTHORIZE);
  const { charge } = await settleCharge(begun, OutcomeKind.ACCEPTED);
  expect(charge).toMatchObject({ state: ChargeState.SUCCEEDED, isHeld: true, capturedMinor: 0n, ledgerTransferId: "" });
  expect(Number(charge.captureBeforeTime?.seconds) - Number(charge.settleTime?.seconds)).toBe(7 * 24 * 3_600);
  expect(await entries(charge.chargeId)).toEqual([]);
  expect(await told(charge.chargeId)).toEqual(["charge.succeeded"]);
  const failed = await settleCharge(await beginCharge(undefined, { isHeld: true }), OutcomeKind.DECLINED);
  expect(failed.charge).toMatchObject({ state: ChargeState.FAILED });
  expect(failed.charge.captureBeforeTime).toBeUndefined();
});

test("settleCapture books what the capture took, with the fee of that, once, and answers its key", async () => {
  const { writer, holdCharge, beginCapture, settleCapture } = setup();
  const { chargeId } = (await holdCharge()).charge;
  const begun = await beginCapture(chargeId, 1_500n);
  expect(begun.attempt).toMatchObject({
    kind: AttemptKind.CAPTURE,
    amount: { amountMinor: 1_500n },
    fence: 1,
    tries: 0,
  });
  expect(begun.attempt.originalBankRef).not.toBe("");
  const settled = await settleCapture(begun, OutcomeKind.ACCEPTED);
  expect(settled).toMatchObject({
    isSettledHere: true,
    charge: { capturedMinor: 1_500n, amount: { amountMinor: 2_000n } },
  });
  expect(await entries(chargeId)).toEqual([
    { ledger_account: "bank_clearing", amount_minor: 1_500n },
    { ledger_account: "fees", amount_minor: -74n },
    { ledger_account: "merchant_balance", amount_minor: -1_426n },
  ]);
  expect(await settleCapture(begun, OutcomeKind.ACCEPTED)).toMatchObject({ isSettledHere: false });
  expect(await told(chargeId)).toEqual(["charge.succeeded", "charge.captured"]);
  const replayed = await writer.beginCapture({ ...begun.request, attemptId: createId("att_") });
  expect(replayed.attempt).toBeUndefined();
  expect(replayed.charge).toEqual(settled.charge);
  const other = writer.beginCapture({ ...begun.request, requestDigest: new Uint8Array([2]) });
  expect(await refusal(other)).toMatchObject({ code: Code.AlreadyExists, reason: "REQUEST_ID_REUSED" });
});

test("a declined capture leaves the charge held, is answered with its decline, and may be tried again", async () => {
  const { writer, holdCharge, beginCapture, settleCapture } = setup();
  const held = (await holdCharge()).charge;
  const begun = await beginCapture(held.chargeId);
  const settled = await settleCapture(begun, OutcomeKind.DECLINED);
  expect(settled).toMatchObject({ isSettledHere: true, decline: { reason: "insufficient_funds", responseCode: "51" } });
  expect(settled.charge).toEqual(held);
  const replayed = await writer.beginCapture({ ...begun.request, attemptId: createId("att_") });
  expect(replayed.decline?.reason).toBe("insufficient_funds");
  expect(replayed.charge).toEqual(held);
  expect(await told(held.chargeId)).toEqual(["charge.succeeded"]);
  const again = await settleCapture(await beginCapture(held.chargeId), OutcomeKind.ACCEPTED);
  expect(again.charge.capturedMinor).toBe(2_000n);
  const disagreeing = await refusal(settleCapture(begun, OutcomeKind.ACCEPTED));
  expect(disagreeing).toMatchObject({ reason: "ANSWERS_DISAGREE" });
  expect(await entries(held.chargeId)).toHaveLength(3);
});

test("beginCapture refuses by name what cannot be captured, and writes nothing", async () => {
  const { writer, captureRequest, beginCharge, settleCharge, succeedCharge, holdCharge, beginReturn, settleRelease } =
    setup();
  const refused = async (chargeId: string, amountMinor?: bigint) =>
    (await refusal(writer.beginCapture(captureRequest(chargeId, amountMinor))))?.reason;
  const pending = await beginCharge(undefined, { isHeld: true });
  expect(await refused(pending.charge.chargeId)).toBe("CHARGE_NOT_CAPTURABLE");
  await settleCharge(pending, OutcomeKind.DECLINED);
  expect(await refused(pending.charge.chargeId)).toBe("CHARGE_NOT_CAPTURABLE");
  expect(await refused((await succeedCharge()).charge.chargeId)).toBe("CHARGE_ALREADY_CAPTURED");
  expect(await refused("ch_none")).toBe("CHARGE_NOT_FOUND");
  const { chargeId } = (await holdCharge()).charge;
  expect(await refused(chargeId, 2_001n)).toBe("CAPTURE_EXCEEDS_HOLD");
  const kronur = (await holdCharge()).charge.chargeId;
  await rows("update charge set currency_code = 'ISK' where charge_id = $1", kronur);
  expect(await refused(kronur, 1_050n)).toBe("CAPTURE_UNEVEN");
  const fils = (await holdCharge()).charge.chargeId;
  await rows("update charge set currency_code = 'KWD', amount_minor = 1999 where charge_id = $1", fils);
  expect(await refused(fils, 1_995n)).toBe("CAPTURE_UNEVEN");
  // It was held before the currency had that step: all of it may be taken.
  expect(await writer.beginCapture(captureRequest(fils, 1_999n))).toMatchObject({
    attempt: { amount: { amountMinor: 1_999n } },
  });
  expect(await refused(chargeId, 49n)).toBe("CAPTURE_TOO_SMALL");
  const theirs = writer.beginCapture({ ...captureRequest(chargeId), accountId: liveAccountId });
  expect(await refusal(theirs)).toMatchObject({ code: Code.NotFound, reason: "CHARGE_NOT_FOUND" });
  await age(chargeId);
  expect(await refused(chargeId)).toBe("HOLD_EXPIRED");
  const voided = (await holdCharge()).charge.chargeId;
  await settleRelease(await beginReturn(voided, 0n), OutcomeKind.ACCEPTED);
  expect(await refused(voided)).toBe("CHARGE_ALREADY_RETURNED");
  expect(await rows("select 1 from attempt where charge_id = $1 and kind = 'capture'", chargeId)).toEqual([]);
});

test("a capture waits for another one that is at the bank, and goes ahead when that one is declined", async () => {
  const { writer, captureRequest, holdCharge, beginCapture, settleCapture } = setup();
  const { chargeId } = (await holdCharge()).charge;
  const first = await beginCapture(chargeId);
  let isAnswered = false;
  const second = writer.beginCapture(captureRequest(chargeId, 700n)).finally(() => {
    isAnswered = true;
  });
  // A whole round of questions and answers of another charge: the second had all the time it wanted.
  await holdCharge();
  expect(isAnswered).toBe(false);
  await settleCapture(first, OutcomeKind.DECLINED);
  expect((await second).attempt?.amount?.amountMinor).toBe(700n);
  const late = await refusal(hasty().writer.beginCapture(captureRequest(chargeId)));
  expect(late).toMatchObject({ code: Code.Aborted, reason: "CHARGE_CHANGING" });
});

test("a release of what is held is whole: nothing is held back or booked, and its key is answered", async () => {
  const { writer, key, holdCharge, beginReturn, settleRelease } = setup();
  const { chargeId } = (await holdCharge()).charge;
  expect(await refusal(beginReturn(chargeId, 500n))).toMatchObject({ reason: "HOLD_NOT_DIVISIBLE" });
  expect(await refusal(beginReturn(chargeId, 2_001n))).toMatchObject({ reason: "RETURN_EXCEEDS_CHARGE" });
  const request = { ...key(), returnId: createId("re_"), attemptId: createId("att_"), chargeId, amountMinor: 2_000n };
  const { attempt, return: record } = await writer.beginReturn(request);
  if (attempt === undefined) throw new Error("a release begun has an attempt");
  expect(attempt.kind).toBe(AttemptKind.REVERSE);
  expect(record).toMatchObject({ isRelease: true, state: ReturnState.PENDING, amount: { amountMinor: 2_000n } });
  expect(await refusal(beginReturn(chargeId, 0n))).toMatchObject({ reason: "CHARGE_CHANGING" });
  const settled = await settleRelease({ attempt }, OutcomeKind.ACCEPTED);
  expect(settled).toMatchObject({
    isSettledHere: true,
    record: { state: ReturnState.SUCCEEDED, ledgerTransferId: "" },
  });
  expect(settled.charge).toMatchObject({ capturedMinor: 0n, returnedMinor: 0n });
  expect(settled.charge.releaseTime).toEqual(settled.record?.settleTime);
  expect(await settleRelease({ attempt }, OutcomeKind.ACCEPTED)).toMatchObject({ isSettledHere: false });
  expect(await entries(chargeId)).toEqual([]);
  expect(await told(chargeId)).toEqual(["charge.succeeded", "charge.refunded"]);
  expect(await told(request.returnId)).toEqual(["refund.created"]);
  const replayed = await writer.beginReturn({ ...request, returnId: createId("re_"), attemptId: createId("att_") });
  expect(replayed.return).toEqual(settled.record);
  expect(await refusal(beginReturn(chargeId, 0n))).toMatchObject({ reason: "CHARGE_ALREADY_RETURNED" });
});

test("a release that the bank declines is a failed return, and the charge is held as before", async () => {
  const { holdCharge, beginReturn, settleRelease, beginCapture, settleCapture } = setup();
  const held = (await holdCharge()).charge;
  const begun = await beginReturn(held.chargeId, 0n);
  const settled = await settleRelease(begun, OutcomeKind.NOT_SENT);
  expect(settled).toMatchObject({ record: { state: ReturnState.FAILED, decline: { reason: "processing_error" } } });
  expect(settled.charge).toMatchObject({ capturedMinor: 0n });
  expect(settled.charge.releaseTime).toBeUndefined();
  expect(await told(begun.record.returnId)).toEqual(["refund.created", "refund.failed"]);
  const captured = await settleCapture(await beginCapture(held.chargeId), OutcomeKind.ACCEPTED);
  expect(captured.charge.capturedMinor).toBe(2_000n);
});

test("beginExpiries takes up each hold whose time is over once, and no other", async () => {
  const { writer, holdCharge, beginCapture, settleRelease } = setup();
  const [due, capturing, early] = [await holdCharge(), await holdCharge(), await holdCharge()];
  await beginCapture(capturing.charge.chargeId);
  await Promise.all([age(due.charge.chargeId), age(capturing.charge.chargeId)]);
  const sets = await Promise.all([writer.beginExpiries({ limit: 500 }), writer.beginExpiries({ limit: 500 })]);
  const taken = sets.flatMap(({ attempts }) => attempts);
  const mine = taken.filter(({ chargeId }) => chargeId === due.charge.chargeId);
  expect(mine).toHaveLength(1);
  expect(taken.map(({ chargeId }) => chargeId)).not.toContain(capturing.charge.chargeId);
  expect(taken.map(({ chargeId }) => chargeId)).not.toContain(early.charge.chargeId);
  const [attempt] = mine;
  if (attempt === undefined) throw new Error("the hold was due");
  expect(attempt).toMatchObject({ kind: AttemptKind.REVERSE, returnId: "", amount: { amountMinor: 2_000n } });
  const { charge } = await settleRelease({ attempt }, OutcomeKind.DECLINED);
  expect(charge.releaseTime).toBeDefined();
  expect(await told(charge.chargeId)).toEqual(["charge.succeeded", "charge.expired"]);
  expect(await rows("select 1 from alert where object_id = $1", attempt.attemptId)).toEqual([]);
});

test("a customer's test clock moves the end of a hold", async () => {
  const { writer, createPayer, beginCharge, settleCharge } = setup();
  const payer = await createPayer();
  await rows(
    `insert into test_clock (account_id, test_clock_id, business_time, create_time)
      values ($1, $2, statement_timestamp(), statement_timestamp())`,
    accountId,
    `clock_${payer.customerId}`,
  );
  await rows(
    "update customer set test_clock_id = $1 where customer_id = $2",
    `clock_${payer.customerId}`,
    payer.customerId,
  );
  const { charge } = await settleCharge(await beginCharge(payer, { isHeld: true }), OutcomeKind.ACCEPTED);
  const isDue = async () => {
    const { attempts } = await writer.beginExpiries({ limit: 500 });
    return attempts.some(({ chargeId }) => chargeId === charge.chargeId);
  };
  expect(await isDue()).toBe(false);
  await rows(
    "update test_clock set business_time = business_time + interval '7 d' where test_clock_id = $1",
    `clock_${payer.customerId}`,
  );
  expect(await isDue()).toBe(true);
});
