import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Event, Snapshot } from "../../gen/tripe/billing/v1/event_pb.ts";
import type { Invoice, InvoiceItem, InvoicePayment } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { Price } from "../../gen/tripe/billing/v1/product_pb.ts";
import type { Subscription, SubscriptionItem } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { samplePrice } from "./testing-billing.ts";

/** No charge captures more than was asked or returns more than was captured. */
export function withRealSums(charge: Charge): Charge {
  const sums = [charge.amount?.amountMinor ?? 0n, charge.capturedMinor, charge.returnedMinor];
  const [returned = 0n, captured = 0n] = sums.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
  return { ...charge, capturedMinor: captured, returnedMinor: returned };
}

/** Every price is of a product. */
export function withKnownPrice(price: Price): Price {
  return { ...price, productId: price.productId || "prod_1" };
}

/** Every invoice is for a customer. */
export function withKnownInvoice(invoice: Invoice): Invoice {
  return { ...invoice, customerId: invoice.customerId || "cus_1" };
}

/** Every invoice item is for a customer. */
export function withKnownItem(item: InvoiceItem): InvoiceItem {
  return { ...item, customerId: item.customerId || "cus_1" };
}

/** Every payment is of an invoice. */
export function withKnownPayment(payment: InvoicePayment): InvoicePayment {
  return { ...payment, invoiceId: payment.invoiceId || "in_1" };
}

/** Every subscription is for a customer, is in a period, and has prices that repeat. */
export function withKnownSubscription(subscription: Subscription): Subscription {
  const {
    createTime,
    anchorTime = createTime,
    periodStartTime = createTime,
    periodEndTime = createTime,
  } = subscription;
  const times = createTime && anchorTime && periodStartTime && periodEndTime;
  return {
    ...subscription,
    customerId: subscription.customerId || "cus_1",
    items: subscription.items.map(withRecurrence),
    ...(times && { anchorTime, periodStartTime, periodEndTime }),
  };
}

/** An event tells of a noun as it can be, and as it can have been. */
export function withKnownNoun(event: Event): Event {
  makeKnown(event.snapshot);
  makeKnown(event.previous);
  return event;
}

function makeKnown(snapshot: Snapshot | undefined): void {
  const noun = snapshot?.noun;
  if (noun?.case === "charge") noun.value = withRealSums(noun.value);
  if (noun?.case === "price") noun.value = withKnownPrice(noun.value);
  if (noun?.case === "invoice") noun.value = withKnownInvoice(noun.value);
  if (noun?.case === "invoiceItem") noun.value = withKnownItem(noun.value);
  if (noun?.case === "subscription") noun.value = withKnownSubscription(noun.value);
}

function withRecurrence(item: SubscriptionItem): SubscriptionItem {
  const price = withKnownPrice(item.price ?? samplePrice());
  const recurrence = price.recurrence ?? samplePrice().recurrence;
  return { ...item, price: { ...price, ...(recurrence && { recurrence }) } };
}
