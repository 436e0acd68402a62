import { setImmediate } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { createTestClock, type TestClock } from "../_runtime/clock.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { createSteps, refusal } from "./testing-steps.ts";

const { setup, rows, openWriter, accountId } = await startTestWriter();

/** Steps with a writer that waits by a clock of the test's. */
function waiting() {
  const clock = createTestClock();
  return { clock, ...createSteps(openWriter({ clock }), accountId) };
}

/** Lets time pass until the work ends, and says how much did. */
async function pass<Answer>(clock: TestClock, work: Promise<Answer>) {
  const startMs = clock.nowMs();
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => undefined);
  while (!isOver) {
    await setImmediate();
    clock.advance(1);
  }
  return { answer: await over, passedMs: clock.nowMs() - startMs };
}

test("two connections that race for one request id make one customer, and both are answered with it", async () => {
  const writers = [openWriter(), openWriter()];
  const request = setup().key();
  const create = (index: number) =>
    writers[index % 2]?.createCustomer({
      ...request,
      customer: { customerId: createId("cus_"), invoicePrefix: "ABC" },
    });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => create(index)));
  expect(new Set(answers.map((answer) => answer?.customer?.customerId)).size).toBe(1);
  expect(answers.filter((answer) => answer?.isReplayed === false)).toHaveLength(1);
  const [made] = answers;
  expect(await rows("select 1 from event where object_id = $1", made?.customer?.customerId)).toHaveLength(1);
});

test("a refusal leaves the request id free", async () => {
  const { writer, key, createPayer } = setup();
  const { customerId, paymentMethodId } = await createPayer();
  const request = { ...key(), customerId, paymentMethodId: "pm_none" };
  expect(await refusal(writer.attachPaymentMethod(request))).toMatchObject({ reason: "PAYMENT_METHOD_NOT_FOUND" });
  const other = { ...request, paymentMethodId, requestDigest: new Uint8Array([2]) };
  expect((await writer.attachPaymentMethod(other)).isReplayed).toBe(false);
});

test("an equal request that runs is waited for 2 s, then refused", async () => {
  const { beginCharge } = setup();
  const { request } = await beginCharge();
  const { clock, writer } = waiting();
  const again = refusal(writer.beginCharge({ ...request, attemptId: createId("att_") }));
  const { answer, passedMs } = await pass(clock, again);
  expect(answer).toMatchObject({ code: Code.Aborted, reason: "REQUEST_IN_PROGRESS" });
  expect(passedMs).toBeGreaterThanOrEqual(2_000);
});

test("an equal request that ends meanwhile is answered with what it made", async () => {
  const { beginCharge, settleCharge } = setup();
  const begun = await beginCharge();
  const { clock, writer } = waiting();
  const again = writer.beginCharge({ ...begun.request, attemptId: createId("att_") });
  const { charge } = await settleCharge(begun, OutcomeKind.ACCEPTED);
  const { answer } = await pass(clock, again);
  expect(answer.charge).toEqual(charge);
  expect(answer.attempt).toBeUndefined();
});

test("an equal request that nobody works on any more is answered as it stands", async () => {
  const { writer, beginCharge } = setup();
  const { request, attempt } = await beginCharge();
  const { attemptId, fence } = attempt;
  await writer.postponeAttempt({ accountId, requestId: "p", attemptId, fence, delayMs: 60_000n, bank: "sandbox" });
  const answer = await writer.beginCharge({ ...request, attemptId: createId("att_") });
  expect(answer).toMatchObject({ charge: { state: ChargeState.PENDING } });
  expect(answer.attempt).toBeUndefined();
});

test("a return under way is waited for as a charge is", async () => {
  const { key, succeedCharge } = setup();
  const { chargeId } = (await succeedCharge()).charge;
  const { clock, writer } = waiting();
  const ids = () => ({ returnId: createId("re_"), attemptId: createId("att_") });
  const request = { ...key(), chargeId, amountMinor: 500n };
  await writer.beginReturn({ ...request, ...ids() });
  const { answer } = await pass(clock, refusal(writer.beginReturn({ ...request, ...ids() })));
  expect(answer).toMatchObject({ code: Code.Aborted, reason: "REQUEST_IN_PROGRESS" });
});

test("a change under the request id of a charge that still runs is refused as one that runs", async () => {
  const { beginCharge } = setup();
  const { request, charge } = await beginCharge();
  const { clock, writer, key } = waiting();
  const change = writer.updateCharge({ ...key(request.requestId), charge: { chargeId: charge.chargeId } });
  const { answer } = await pass(clock, refusal(change));
  expect(answer).toMatchObject({ code: Code.Aborted, reason: "REQUEST_IN_PROGRESS" });
});
