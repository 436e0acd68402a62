import { timestampDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { logStatements } from "../_database/testing/statement-log.ts";
import { createTestClock } from "../_runtime/clock.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { createSteps } from "./testing-steps.ts";

const { accountId, setup, openWriter, rows, asOwner } = await startTestWriter();

/** How many statements a settlement takes: one when the process knows the charge, two when it has to read it. */
async function statementsOf<Answer>(work: () => Promise<Answer>) {
  const log = logStatements();
  const answer = await work().finally(log.stop);
  return { count: log.sent.length, answer };
}

test("a charge is settled by the process that began it in one statement, and by another in two", async () => {
  const steps = setup();
  const [own, other] = [await steps.beginCharge(), await steps.beginCharge()];
  const here = await statementsOf(() => steps.settleCharge(own, OutcomeKind.ACCEPTED));
  const elsewhere = createSteps(openWriter(), accountId);
  const there = await statementsOf(() => elsewhere.settleCharge(other, OutcomeKind.ACCEPTED));
  expect([here.count, there.count]).toEqual([1, 2]);
  const { chargeId: _, createTime: __, settleTime, ledgerTransferId: ___, ...charge } = here.answer.charge;
  expect(there.answer.charge).toMatchObject({
    ...charge,
    paymentMethodId: other.charge.paymentMethodId,
    customerId: other.charge.customerId,
  });
  const [row] = await rows<{ settle_time: Date; is_late: boolean }>(
    "select settle_time, settle_time < create_time or settle_time > statement_timestamp() as is_late from charge where charge_id = $1",
    own.charge.chargeId,
  );
  expect([row?.settle_time, row?.is_late]).toEqual([settleTime && timestampDate(settleTime), false]);
});

test("what changed since the beginning is read: a charge's own change is in what its settlement tells", async () => {
  const steps = setup();
  const begun = await steps.beginCharge();
  const { chargeId } = begun.charge;
  const change = { charge: { chargeId, description: "Order 2" }, updateMask: { paths: ["description"] } };
  await steps.writer.updateCharge({ ...steps.key(), ...change });
  const { charge } = await steps.settleCharge(begun, OutcomeKind.ACCEPTED);
  expect(charge.description).toBe("Order 2");
});

test("a customer on a test clock settles at the clock's time, after it was moved too", async () => {
  const steps = setup();
  const payer = await steps.createPayer();
  const clockId = createId("clock_");
  await asOwner("insert into test_clock values ($1, $2, '2031-01-01', statement_timestamp())", accountId, clockId);
  await rows("update customer set test_clock_id = $2 where customer_id = $1", payer.customerId, clockId);
  const begun = await steps.beginCharge(payer);
  await rows("update test_clock set business_time = '2031-02-03' where test_clock_id = $1", clockId);
  const { charge } = await steps.settleCharge(begun, OutcomeKind.ACCEPTED);
  expect(charge.settleTime && timestampDate(charge.settleTime)).toEqual(new Date("2031-02-03"));
});

test("after the lease a charge is read", async () => {
  const clock = createTestClock();
  const steps = createSteps(openWriter({ clock }), accountId);
  const begun = await steps.beginCharge();
  clock.advance(20_001);
  expect((await statementsOf(() => steps.settleCharge(begun, OutcomeKind.ACCEPTED))).count).toBe(2);
});

test("the outcome of an attempt that another process has ended is compared with the stored one", async () => {
  const steps = setup();
  const begun = await steps.beginCharge();
  const elsewhere = createSteps(openWriter(), accountId);
  await elsewhere.settleCharge(begun, OutcomeKind.ACCEPTED);
  const again = await steps.settleCharge(begun, OutcomeKind.ACCEPTED);
  expect(again.isSettledHere).toBe(false);
  await expect(steps.settleCharge(begun, OutcomeKind.DECLINED)).rejects.toThrow(/has ended otherwise/);
});
