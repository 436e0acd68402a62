import { expect, test } from "vitest";
import { CollectionMethod, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { createBillingSteps, line } from "./testing-billing.ts";
import { refusal } from "./testing-steps.ts";

const { accountId, setup: steps, rows } = await startTestWriter();

function setup() {
  const { writer } = steps();
  return { writer, ...createBillingSteps(writer, accountId) };
}

const sendingsOf = (invoiceId: string) => rows("select due_time from mail where invoice_id = $1", invoiceId);

test("finalizeInvoice gives the first number, keeps the customer as of now, and is done once", async () => {
  const { writer, key, createCustomer, createDraft } = setup();
  const customerId = await createCustomer("then@example.com");
  const { invoiceId } = await createDraft(customerId);
  const request = { ...key(), invoiceId };
  const finalized = await writer.finalizeInvoice(request);
  expect(finalized.invoice).toMatchObject({ number: "ABC-0001", state: InvoiceState.OPEN, finalizeTime: {} });
  const change = { customer: { customerId, email: "now@example.com" }, updateMask: { paths: ["email"] } };
  await writer.updateCustomer({ ...key(), ...change });
  expect(await writer.finalizeInvoice(request)).toEqual({ ...finalized, isReplayed: true });
  const kept = "select customer_details ->> 'email' as email from invoice where invoice_id = $1";
  expect(await rows(kept, invoiceId)).toEqual([{ email: "then@example.com" }]);
  expect((await refusal(writer.finalizeInvoice({ ...key(), invoiceId })))?.reason).toBe("INVOICE_NOT_DRAFT");
});

test("20 invoices of one customer finalized at once, one of them refused, are numbered without a gap", async () => {
  const { writer, key, createCustomer, createDraft, finalize } = setup();
  const customerId = await createCustomer();
  const drafts = await Promise.all(Array.from({ length: 20 }, () => createDraft(customerId)));
  const again = drafts[7]?.invoiceId ?? "";
  const ended = await Promise.allSettled([...drafts, drafts[7]].map((one) => finalize(one?.invoiceId ?? again)));
  expect(ended.filter(({ status }) => status === "rejected")).toHaveLength(1);
  const numbers = await rows<{ number: string }>(
    "select number from invoice where customer_id = $1 order by sequence",
    customerId,
  );
  const wanted = Array.from({ length: 20 }, (_, n) => `ABC-${String(n + 1).padStart(4, "0")}`);
  expect(numbers.map(({ number }) => number)).toEqual(wanted);
  await writer.voidInvoice({ ...key(), invoiceId: again });
  const { invoiceId } = await createDraft(customerId);
  expect((await finalize(invoiceId)).number).toBe("ABC-0021");
});

test("an invoice of nothing is paid when it is finalized", async () => {
  const { createCustomer, createOpen } = setup();
  const invoice = await createOpen(await createCustomer(), [line(100n), line(-100n)], { isAutoAdvancing: true });
  expect(invoice).toMatchObject({ state: InvoiceState.PAID, paidMinor: 0n, payTime: {} });
  expect(invoice.nextAttemptTime).toBeUndefined();
  const text = "select type from event where object_id = $1 order by event_id";
  const told = await rows<{ type: string }>(text, invoice.invoiceId);
  expect(told.map(({ type }) => type)).toEqual([
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.updated",
  ]);
});

test("an invoice whose credits outweigh its charges is not finalized, and its credit is not lost", async () => {
  const { writer, key, createCustomer, createItem, createDraft, finalize } = setup();
  const customerId = await createCustomer();
  const { invoiceItemId } = await createItem(customerId, -5_000n);
  const lines = [line(4_999n), line(-5_000n, { invoiceItemId })];
  const { invoiceId } = await createDraft(customerId, lines, { isAutoAdvancing: true });
  expect((await refusal(finalize(invoiceId)))?.reason).toBe("INVOICE_TOTAL_NEGATIVE");
  await rows("update invoice set next_attempt_time = business_now(account_id) where invoice_id = $1", invoiceId);
  const { invoices } = await writer.leaseCollections({ limit: 500 });
  expect(invoices.map((due) => due.invoiceId)).not.toContain(invoiceId);
  await writer.deleteInvoice({ ...key(), invoiceId });
  const items = await rows("select invoice_id from invoice_item where invoice_item_id = $1", invoiceItemId);
  expect(items).toEqual([{ invoice_id: null }]);
});

test.each([
  ["too little to be charged", "INVOICE_TOTAL_TOO_SMALL", [line(49n)]],
  ["more than one charge may be", "INVOICE_TOTAL_TOO_LARGE", [line(99_999_999n), line(1n)]],
])(
  "an invoice of %s is not finalized, nor taken up by the schedule, until it is of something else",
  async (...given) => {
    const [, reason, lines] = given;
    const { writer, key, createCustomer, createDraft, finalize } = setup();
    const customerId = await createCustomer();
    const { invoiceId } = await createDraft(customerId, lines, { isAutoAdvancing: true });
    expect((await refusal(finalize(invoiceId)))?.reason).toBe(reason);
    const due =
      "update invoice set next_attempt_time = business_now(account_id), lease_end_time = null where invoice_id = $1";
    const isLeased = async () => {
      await rows(due, invoiceId);
      return (await writer.leaseCollections({ limit: 500 })).invoices.some((one) => one.invoiceId === invoiceId);
    };
    expect(await isLeased()).toBe(false);
    const bounds = [line(50n), line(99_999_999n)];
    for (const good of bounds) {
      const { invoiceId: goodId } = await createDraft(customerId, [good]);
      expect(await finalize(goodId)).toMatchObject({ state: InvoiceState.OPEN });
    }
    const amountMinor = reason === "INVOICE_TOTAL_TOO_SMALL" ? 1n : -1n;
    const ids = { invoiceItemId: createId("ii_"), customerId, invoiceId };
    const item = { ...ids, currencyCode: "USD", amountMinor, quantity: 1n, description: "The rest" };
    await writer.createInvoiceItem({ ...key(), invoiceItem: item });
    expect(await isLeased()).toBe(true);
    expect(await finalize(invoiceId)).toMatchObject({ state: InvoiceState.OPEN });
  },
);

test("an invoice that is to be sent may be of less than can be charged", async () => {
  const { createCustomer, createOpen } = setup();
  const change = { collectionMethod: CollectionMethod.SEND_INVOICE, daysUntilDue: 30 };
  expect(await createOpen(await createCustomer(), [line(1n)], change)).toMatchObject({ state: InvoiceState.OPEN });
});

test("an invoice that is to be sent gets its day and one sending, if it advances by itself", async () => {
  const { createCustomer, createOpen } = setup();
  const customerId = await createCustomer();
  const change = { collectionMethod: CollectionMethod.SEND_INVOICE, daysUntilDue: 30, isAutoAdvancing: true };
  const sent = await createOpen(customerId, [line()], change);
  const days = Number((sent.dueTime?.seconds ?? 0n) - (sent.finalizeTime?.seconds ?? 0n)) / 86_400;
  expect([days, sent.nextAttemptTime]).toEqual([30, undefined]);
  expect(await sendingsOf(sent.invoiceId)).toHaveLength(1);
  const kept = await createOpen(customerId, [line()], { ...change, isAutoAdvancing: false });
  expect(await sendingsOf(kept.invoiceId)).toEqual([]);
});
