import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { BillingReason, CollectionMethod, InvoiceState } from "../gen/tripe/billing/v1/invoice_pb.ts";
import { IntervalUnit, PriceSchema } from "../gen/tripe/billing/v1/product_pb.ts";
import { SubscriptionState } from "../gen/tripe/billing/v1/subscription_pb.ts";
import { createId } from "./_runtime/ids.ts";
import { startTestTripe } from "./testing.ts";

const tripe = await startTestTripe();
const { accountId } = tripe;
const edge = tripe.clientsOf("edge");
const scheduler = tripe.clientsOf("scheduler");
const key = () => ({ accountId, requestId: createId("req_"), requestDigest: new Uint8Array([1]) });

async function payer(number = "4242424242424242") {
  const paymentMethodId = createId("card_");
  const tokenId = createId("tok_");
  const { sealedCard, card } = await edge.bank.sealCard({ accountId, paymentMethodId, card: { number, expMonth: 12, expYear: 2040, cvc: "" } });
  await edge.writer.createToken({ ...key(), token: { tokenId, paymentMethod: { paymentMethodId, ...(card && { card }) } }, sealedCard });
  const customerId = createId("cus_");
  await edge.writer.createCustomer({ ...key(), customer: { customerId, invoicePrefix: "ABC", email: "a@example.com", name: "Ann" }, tokenId });
  return { customerId, paymentMethodId };
}

test("an invoice is drafted, finalized, collected once", async () => {
  const { customerId } = await payer();
  const item = await edge.writer.createInvoiceItem({ ...key(), invoiceItem: { invoiceItemId: createId("ii_"), customerId, currencyCode: "USD", amountMinor: 2500n, quantity: 1n, description: "Work" } });
  const invoiceId = createId("in_");
  const draft = await edge.writer.createInvoice({ ...key(), invoice: { invoiceId, customerId, currencyCode: "USD", billingReason: BillingReason.MANUAL, collectionMethod: CollectionMethod.CHARGE_AUTOMATICALLY, lines: [{ description: "Work", quantity: 1n, amountMinor: 2500n, invoiceItemId: item.invoiceItem?.invoiceItemId ?? "" }] } });
  expect(draft.invoice?.totalMinor).toBe(2500n);
  const finalized = await edge.writer.finalizeInvoice({ ...key(), invoiceId });
  expect(finalized.invoice).toMatchObject({ number: "ABC-0001", state: InvoiceState.OPEN });
  const both = await Promise.all([1, 2].map(() => edge.transactions.collectInvoice({ accountId, requestId: createId("req_"), invoiceId })));
  expect(both.map((one) => one.invoice?.state)).toEqual([InvoiceState.PAID, InvoiceState.PAID]);
  expect(new Set(both.map((one) => one.charge?.chargeId)).size).toBe(1);
  const read = await edge.reader.getInvoice({ accountId, invoiceId });
  expect(read.invoice).toMatchObject({ state: InvoiceState.PAID, paidMinor: 2500n, amountDue: { amountMinor: 0n } });
  const sending = await edge.writer.beginSending({ ...key(), invoiceId, sendingId: createId("snd_") });
  const marked = await edge.writer.markSent({ accountId, requestId: sending.sendingId, sendingId: sending.sendingId, messageId: "m", pdfSha256: new Uint8Array(32) });
  expect(marked.invoice?.sendTime).toBeDefined();
});

test("a subscription is made, paid, renewed", async () => {
  const { customerId } = await payer();
  const price = create(PriceSchema, { priceId: createId("price_"), unitAmount: { amountMinor: 1000n, currencyCode: "USD" }, recurrence: { unit: IntervalUnit.MONTH, count: 1 }, isActive: true });
  const made = await edge.writer.createPrice({ ...key(), price, product: { productId: createId("prod_"), name: "Gold", isActive: true } });
  expect(made.price?.productName).toBe("Gold");
  const now = Date.now();
  const subscriptionId = createId("sub_");
  const invoiceId = createId("in_");
  const start = timestampFromMs(now - 5000);
  const end = timestampFromMs(now - 1000);
  const si = createId("si_");
  const created = await edge.writer.createSubscription({ ...key(), subscription: { subscriptionId, customerId, state: SubscriptionState.INCOMPLETE, items: [{ subscriptionItemId: si, price, quantity: 2n }], currencyCode: "USD", collectionMethod: CollectionMethod.CHARGE_AUTOMATICALLY, anchorTime: start, periodStartTime: start, periodEndTime: end }, invoice: { invoiceId, customerId, subscriptionId, currencyCode: "USD", billingReason: BillingReason.SUBSCRIPTION_CREATE, collectionMethod: CollectionMethod.CHARGE_AUTOMATICALLY, isAutoAdvancing: true, lines: [{ description: "2 × Gold", quantity: 2n, unitAmountMinor: 1000n, amountMinor: 2000n, priceId: price.priceId, subscriptionItemId: si }] } });
  expect(created.subscription?.state).toBe(SubscriptionState.INCOMPLETE);
  const paid = await edge.transactions.collectInvoice({ accountId, requestId: "x", invoiceId });
  expect(paid.invoice?.state).toBe(InvoiceState.PAID);
  const { subscription } = await edge.reader.getSubscription({ accountId, subscriptionId });
  expect(subscription?.state).toBe(SubscriptionState.ACTIVE);
  const { subscriptions } = await scheduler.writer.leaseRenewals({ limit: 10 });
  expect(subscriptions.map((one) => one.subscription?.subscriptionId)).toEqual([subscriptionId]);
  const renew = () => scheduler.writer.renewSubscription({ accountId, requestId: "r", subscriptionId, periodIndex: 1, periodStartTime: end, periodEndTime: timestampFromMs(now + 100000), invoice: { invoiceId: createId("in_"), customerId, currencyCode: "USD", billingReason: BillingReason.SUBSCRIPTION_CYCLE, collectionMethod: CollectionMethod.CHARGE_AUTOMATICALLY, isAutoAdvancing: true, lines: [{ description: "2 × Gold", quantity: 2n, unitAmountMinor: 1000n, amountMinor: 2000n, priceId: price.priceId, subscriptionItemId: si }] } });
  expect((await Promise.all([renew(), renew()])).map((one) => one.isRenewed).sort()).toEqual([false, true]);
  const due = await scheduler.writer.leaseCollections({ limit: 10 });
  expect(due.invoices).toMatchObject([{ isDraft: true }]);
});
