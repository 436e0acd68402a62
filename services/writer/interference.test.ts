import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { createTestClock, systemClock } from "../_runtime/clock.ts";
import { refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { createWriterClient, startTestWriter } from "./testing.ts";
import { type Sabotage, sabotage } from "./testing-saboteur.ts";
import { createSteps, refusal } from "./testing-steps.ts";

const { setup, rows, database, accountId } = await startTestWriter();

/** Steps with a writer to which something happens at the worst moment. */
const worst = (happening: Sabotage) =>
  createSteps(createWriterClient(sabotage(database, happening), systemClock), accountId);

/** Runs a change that holds its locks until the work waits for one of them, then tries `meanwhile` and commits. */
async function overtake<Answer>(change: string, values: unknown[], work: () => Promise<Answer>, meanwhile?: string) {
  let answer: Promise<Answer> | undefined;
  await database.transaction(async (query) => {
    const run = (text: string, given: unknown[] = []) => query({ name: "", text }, given);
    await run(change, values);
    answer = work();
    answer.catch(() => undefined);
    const waiting = "select 1 from pg_stat_activity where pg_blocking_pids(pid) @> array[pg_backend_pid()]";
    // Less than the 5 s after which an idle transaction is ended; a loaded machine needs one for a new connection.
    const look = async () => {
      // A transaction sees the backends of its first look for ever, unless told otherwise; the one that waits may be new.
      await run("select pg_stat_clear_snapshot()");
      return run(waiting);
    };
    await expect.poll(look, { timeout: 4_000 }).not.toEqual([]);
    if (meanwhile !== undefined) await run(meanwhile);
  });
  if (answer === undefined) throw new Error("the work was not begun");
  return answer;
}

test("a token that is used up while a charge waits for it charges nobody", async () => {
  const { writer, createToken, chargeRequest } = setup();
  const { tokenId, paymentMethodId } = await createToken();
  const request = { ...chargeRequest({ customerId: "", paymentMethodId }), tokenId };
  const spend = "update token set use_time = statement_timestamp() where token_id = $1";
  const refused = await overtake(spend, [tokenId], () => refusal(writer.beginCharge(request)));
  expect(refused).toMatchObject({ code: Code.FailedPrecondition, reason: "TOKEN_ALREADY_USED" });
  expect(await rows("select 1 from charge where charge_id = $1", request.charge.chargeId)).toEqual([]);
  expect(await rows("select 1 from idempotency where request_id = $1", request.requestId)).toEqual([]);
});

test("a return that waits for another one counts what that one has taken", async () => {
  const { succeedCharge, beginReturn } = setup();
  const { chargeId } = (await succeedCharge()).charge;
  const take = "update charge set returned_minor = returned_minor + 1500, revision = revision + 1 where charge_id = $1";
  const refused = await overtake(take, [chargeId], () => refusal(beginReturn(chargeId, 501n)));
  expect(refused).toMatchObject({ code: Code.FailedPrecondition, reason: "RETURN_EXCEEDS_CHARGE" });
  expect((await beginReturn(chargeId, 0n)).record.amount?.amountMinor).toBe(500n);
});

test("all that is left is what is left when it is a return's turn", async () => {
  const { succeedCharge, beginReturn } = setup();
  const { chargeId } = (await succeedCharge()).charge;
  const take = "update charge set returned_minor = returned_minor + 1500, revision = revision + 1 where charge_id = $1";
  const { record } = await overtake(take, [chargeId], () => beginReturn(chargeId, 0n));
  expect(record.amount?.amountMinor).toBe(500n);
});

test("a charge whose words change between the settlement's two statements is told with the new words", async () => {
  const { beginCharge, settleCharge } = setup();
  const begun = await beginCharge();
  const { chargeId } = begun.charge;
  const change = "update charge set description = 'changed', revision = revision + 1 where charge_id = $1";
  const settled = await overtake(change, [chargeId], () => settleCharge(begun, OutcomeKind.ACCEPTED));
  expect(settled.charge).toMatchObject({ description: "changed", state: ChargeState.SUCCEEDED });
  const replayed = await setup().writer.beginCharge({ ...begun.request, attemptId: createId("att_") });
  expect(replayed.charge).toEqual(settled.charge);
});

test("settleCharge gives up on a charge that changes five times over, and books nothing", async () => {
  const { beginCharge } = setup();
  const begun = await beginCharge();
  const text = "update charge set revision = revision + 1 where charge_id = $1";
  const { settleCharge } = worst({ at: "settle_charge", before: () => rows(text, begun.charge.chargeId) });
  const refused = await refusal(settleCharge(begun, OutcomeKind.ACCEPTED));
  expect(refused).toMatchObject({ code: Code.Aborted, reason: "CHARGE_CHANGING" });
  expect(await rows("select 1 from ledger_transfer where charge_id = $1", begun.charge.chargeId)).toEqual([]);
  expect((await setup().settleCharge(begun, OutcomeKind.ACCEPTED)).isSettledHere).toBe(true);
});

test("settleReturn gives up on a charge that changes five times over, and books nothing", async () => {
  const { succeedCharge, beginReturn } = setup();
  const { chargeId } = (await succeedCharge()).charge;
  const begun = await beginReturn(chargeId, 500n);
  const text = "update charge set revision = revision + 1 where charge_id = $1";
  const { settleReturn } = worst({ at: "settle_return", before: () => rows(text, chargeId) });
  const refused = await refusal(settleReturn(begun, OutcomeKind.ACCEPTED));
  expect(refused).toMatchObject({ code: Code.Aborted, reason: "CHARGE_CHANGING" });
  expect(await rows("select 1 from ledger_transfer where return_id = $1", begun.record.returnId)).toEqual([]);
});

test("beginReturn asks to come again when the charge became returnable after it was refused", async () => {
  const { succeedCharge, beginReturn } = setup();
  const { chargeId } = (await succeedCharge()).charge;
  await rows("update charge set returned_minor = 2000 where charge_id = $1", chargeId);
  const giveBack = () => rows("update charge set returned_minor = 0 where charge_id = $1", chargeId);
  const refused = await refusal(worst({ at: "begin_return", after: giveBack }).beginReturn(chargeId, 500n));
  expect(refused).toMatchObject({ code: Code.Aborted, reason: "CHARGE_CHANGING" });
  expect((await beginReturn(chargeId, 500n)).record.amount?.amountMinor).toBe(500n);
});

test("commit A whose answer was lost gives its own caller the attempt when asked again", async () => {
  const { createPayer, succeedCharge } = setup();
  const payer = await createPayer();
  let losses = 2;
  const lose = async () => {
    losses -= 1;
    if (losses >= 0) refuse(Code.Unavailable, "DATABASE_UNAVAILABLE", "the answer was lost");
  };
  const begun = await worst({ at: "begin_charge", after: lose }).beginCharge(payer);
  expect(begun.attempt).toMatchObject({ attemptId: begun.request.attemptId, fence: 1, tries: 0 });
  const { chargeId } = (await succeedCharge()).charge;
  losses = 1;
  const returned = await worst({ at: "begin_return", after: lose }).beginReturn(chargeId, 500n);
  expect(returned.attempt).toMatchObject({ returnId: returned.record.returnId, fence: 1, tries: 0 });
});

test("detachPaymentMethod waits for the customer with empty hands: held the other way round, it would deadlock", async () => {
  const { writer, key, createPayer } = setup();
  const { customerId, paymentMethodId } = await createPayer();
  const change = "update customer set name = 'N' where customer_id = $1";
  const takeCard = `select 1 from payment_method where payment_method_id = '${paymentMethodId}' for update nowait`;
  const detach = () => writer.detachPaymentMethod({ ...key(), paymentMethodId });
  const { paymentMethod } = await overtake(change, [customerId], detach, takeCard);
  expect(paymentMethod?.customerId).toBe("");
});

test("an end of a hold begun while others wait for its charge has it, though their snapshots do not show it", async () => {
  const { holdCharge, captureRequest, beginReturn } = setup();
  const clock = createTestClock();
  const hasty = createWriterClient(database, { ...clock, sleep: async (ms) => clock.advance(ms) });
  const lock = "select 1 from charge where charge_id = $1 for no key update";
  const expire = (chargeId: string) => `insert into attempt select (jsonb_populate_record(t, jsonb_build_object(
      'attempt_id', 'x' || attempt_id, 'bank_ref', 'x' || bank_ref, 'original_bank_ref', bank_ref, 'kind', 'reverse',
      'state', 'pending', 'outcome', null, 'resolve_time', statement_timestamp()))).*
    from attempt t where charge_id = '${chargeId}'`;
  const { chargeId } = (await holdCharge()).charge;
  const capture = () => refusal(hasty.beginCapture(captureRequest(chargeId)));
  expect(await overtake(lock, [chargeId], capture, expire(chargeId))).toMatchObject({ reason: "CHARGE_CHANGING" });
  const { chargeId: otherId } = (await holdCharge()).charge;
  const release = () => refusal(beginReturn(otherId, 0n));
  expect(await overtake(lock, [otherId], release, expire(otherId))).toMatchObject({ reason: "CHARGE_CHANGING" });
  expect(await rows("select 1 from attempt where charge_id in ($1, $2)", chargeId, otherId)).toHaveLength(4);
});

test("NOT_SENT ends an attempt only for the holder of its fence", async () => {
  const { writer, beginCharge, settleCharge } = setup();
  const begun = await beginCharge();
  const { attemptId } = begun.attempt;
  await rows(
    "update attempt set resolve_time = statement_timestamp() - interval '1 h' where attempt_id = $1",
    attemptId,
  );
  const { attempts } = await writer.leaseAttempts({ limit: 500 });
  const zombie = await settleCharge(begun, OutcomeKind.NOT_SENT);
  expect(zombie).toMatchObject({ isSettledHere: false, charge: { state: ChargeState.PENDING } });
  const leased = attempts.find((attempt) => attempt.attemptId === attemptId);
  if (leased === undefined) throw new Error("the attempt was due");
  const holder = await settleCharge({ attempt: leased }, OutcomeKind.NOT_SENT);
  expect(holder).toMatchObject({ isSettledHere: true, charge: { state: ChargeState.FAILED } });
  expect(holder.charge.decline?.reason).toBe("processing_error");
});

test("a fence that is lost between the settlement's two statements does not end the attempt", async () => {
  const { beginCharge } = setup();
  const begun = await beginCharge();
  const lease = () => rows("update attempt set fence = 2 where attempt_id = $1", begun.attempt.attemptId);
  const { settleCharge } = worst({ at: "settle_charge", before: lease });
  expect(await settleCharge(begun, OutcomeKind.NOT_SENT)).toMatchObject({ isSettledHere: false });
  const { succeedCharge, beginReturn } = setup();
  const returned = await beginReturn((await succeedCharge()).charge.chargeId, 500n);
  const leaseReturn = () => rows("update attempt set fence = 2 where attempt_id = $1", returned.attempt.attemptId);
  const { settleReturn } = worst({ at: "settle_return", before: leaseReturn });
  expect(await settleReturn(returned, OutcomeKind.NOT_SENT)).toMatchObject({ isSettledHere: false });
});

test("one that is refused leaves what it shared a commit with settled here, and raises one alert", async () => {
  const { beginCharge, settleCharge } = setup();
  const begun = await Promise.all([beginCharge(), beginCharge(), beginCharge()]);
  const [ended, ...open] = begun;
  await settleCharge(ended, OutcomeKind.DECLINED);
  const [refused, ...settled] = await Promise.all([
    refusal(settleCharge(ended, OutcomeKind.ACCEPTED)),
    ...open.map((one) => settleCharge(one, OutcomeKind.ACCEPTED)),
  ]);
  expect(refused).toMatchObject({ reason: "ANSWERS_DISAGREE" });
  expect(settled.map(({ isSettledHere }) => isSettledHere)).toEqual([true, true]);
  expect(await rows("select 1 from alert where object_id = $1", ended.attempt.attemptId)).toHaveLength(1);
});
