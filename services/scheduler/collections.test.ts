import { afterAll, expect, test } from "vitest";
import { CollectionMethod, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { Sweep } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestTripe } from "../testing.ts";
import { makeDue } from "../transactions/testing.ts";
import { createBillingSteps, line } from "../writer/testing-billing.ts";
import { DECLINED_CARD, GOOD_CARD, setupBilling, startTestScheduler } from "./testing/billing.ts";

const tripe = await startTestTripe();
const { accountId } = tripe;
const billing = await setupBilling(tripe);
afterAll(() => billing.close());

function setup() {
  const { edge, key, read } = billing;
  const { createOpen } = createBillingSteps(edge.writer, accountId);
  const scheduler = tripe.clientsOf("scheduler");
  const collect = (invoiceId: string, isScheduled = false) =>
    (isScheduled ? scheduler : edge).transactions.collectInvoice({
      accountId,
      requestId: createId("req_"),
      invoiceId,
      isScheduled,
    });
  /** As if the lease of an invoice were over. */
  const free = (invoiceId: string) => read("update invoice set lease_end_time = null where invoice_id = $1", invoiceId);
  const sweep = async () => {
    const { log, run } = startTestScheduler(tripe);
    await run(Sweep.COLLECTIONS);
    expect(log.errors).toEqual([]);
  };
  /** Begins a payment as a person does whose answer comes too late: nobody is left to draw the consequence. */
  const beginAndDie = async (invoiceId: string) => {
    const ids = { chargeId: createId("ch_"), attemptId: createId("att_") };
    await tripe.clientsOf("transactions").writer.beginCollection({ ...key(), invoiceId, ...ids });
    return ids.chargeId;
  };
  const endCharge = async (chargeId: string) => {
    await makeDue(tripe, chargeId);
    await scheduler.transactions.resolveAttempts({ limit: 10 });
  };
  const invoiceOf = async (invoiceId: string) => (await edge.reader.getInvoice({ accountId, invoiceId })).invoice;
  const chargesOf = (invoiceId: string) =>
    read<{ state: string }>("select state from charge where invoice_id = $1 order by charge_id", invoiceId);
  return { edge, key, createOpen, collect, free, sweep, beginAndDie, endCharge, invoiceOf, chargesOf };
}

const MAILED = { collectionMethod: CollectionMethod.SEND_INVOICE, daysUntilDue: 7 };

/** Invoices that are not collected by themselves, or are so no more, when the payment of one ends. */
const LEFT = {
  "that does not advance by itself": {},
  "that is mailed": { ...MAILED, isAutoAdvancing: true },
  "that was given up": { isGivenUp: true },
  "that was told not to advance meanwhile": { isAutoAdvancing: true, isStopped: true },
  "that advances by itself": { isAutoAdvancing: true },
};

test.each(Object.entries(LEFT))(
  "an invoice %s is paid when its payment ends and nobody has waited",
  async (_, left) => {
    const { edge, key, createOpen, free, sweep, beginAndDie, endCharge, invoiceOf, chargesOf } = setup();
    const { isGivenUp, isStopped, ...change } = { isGivenUp: false, isStopped: false, ...left };
    const { invoiceId } = await createOpen(await billing.createCustomer(), [line()], change);
    if (isGivenUp) await edge.writer.markInvoiceUncollectible({ ...key(), invoiceId });
    const chargeId = await beginAndDie(invoiceId);
    if (isStopped) {
      const stop = {
        invoice: { invoiceId, currencyCode: "USD", isAutoAdvancing: false },
        updateMask: { paths: ["is_auto_advancing"] },
      };
      await edge.writer.updateInvoice({ ...key(), ...stop });
    }
    await free(invoiceId);
    await sweep();
    expect((await invoiceOf(invoiceId))?.state).not.toBe(InvoiceState.PAID);
    await endCharge(chargeId);
    await sweep();
    expect((await invoiceOf(invoiceId))?.state).toBe(InvoiceState.PAID);
    expect(await chargesOf(invoiceId)).toEqual([{ state: "succeeded" }]);
  },
);

test("a payment that failed while nobody waited is settled, and nothing is begun for what does not advance by itself", async () => {
  const { createOpen, free, sweep, beginAndDie, endCharge, invoiceOf, chargesOf } = setup();
  const { invoiceId } = await createOpen(await billing.createCustomer(DECLINED_CARD), [line()]);
  await endCharge(await beginAndDie(invoiceId));
  for (const _ of [1, 2]) {
    await free(invoiceId);
    await sweep();
  }
  expect(await invoiceOf(invoiceId)).toMatchObject({ state: InvoiceState.OPEN, attemptCount: 1 });
  expect(await chargesOf(invoiceId)).toEqual([{ state: "failed" }]);
  const payments = await billing.read("select state from invoice_payment where invoice_id = $1", invoiceId);
  expect(payments).toEqual([{ state: "canceled" }]);
});

test("the schedule begins nothing for an invoice that does not advance by itself, or is mailed", async () => {
  const { createOpen, collect, chargesOf } = setup();
  for (const change of [{}, { ...MAILED, isAutoAdvancing: true }]) {
    const { invoiceId } = await createOpen(await billing.createCustomer(GOOD_CARD), [line()], change);
    const { invoice, charge } = await collect(invoiceId, true);
    expect([invoice?.state, invoice?.attemptCount, charge]).toEqual([InvoiceState.OPEN, 0, undefined]);
    expect(await chargesOf(invoiceId)).toEqual([]);
  }
});

test("a decline that came between puts the schedule's attempt off, though it was leased before", async () => {
  const { createOpen, collect, chargesOf, invoiceOf } = setup();
  const { invoiceId } = await createOpen(await billing.createCustomer(DECLINED_CARD), [line()], {
    isAutoAdvancing: true,
  });
  await collect(invoiceId);
  const before = await invoiceOf(invoiceId);
  expect((await collect(invoiceId, true)).invoice).toEqual(before);
  expect(await chargesOf(invoiceId)).toHaveLength(1);
  expect(await invoiceOf(invoiceId)).toEqual(before);
});
