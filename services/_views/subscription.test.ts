import { expect, test } from "vitest";
import { CollectionMethod } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { customerView } from "./customer.ts";
import { invoiceView } from "./invoice.ts";
import { paymentMethodView } from "./payment-method.ts";
import { productView } from "./product.ts";
import { subscriptionView } from "./subscription.ts";
import { golden, sampleCustomer, samplePaymentMethod } from "./testing.ts";
import { sampleInvoice, samplePrice, sampleProduct, sampleSubscription } from "./testing-billing.ts";

test("an active subscription shows as in the golden file", () => {
  expect(JSON.stringify(subscriptionView(sampleSubscription()))).toBe(golden("subscription"));
});

test.each([
  [SubscriptionState.INCOMPLETE, "incomplete"],
  [SubscriptionState.INCOMPLETE_EXPIRED, "incomplete_expired"],
  [SubscriptionState.TRIALING, "trialing"],
  [SubscriptionState.PAST_DUE, "past_due"],
  [SubscriptionState.UNPAID, "unpaid"],
  [SubscriptionState.CANCELED, "canceled"],
  [SubscriptionState.PAUSED, "paused"],
])("a subscription in state %i is %s", (state, status) => {
  expect(subscriptionView(sampleSubscription({ state })).status).toBe(status);
});

test("a subscription that ends with its period says when, and that somebody asked", () => {
  const { createTime } = sampleSubscription();
  const view = subscriptionView({ ...sampleSubscription({ isEndingWithPeriod: true }), cancelTime: createTime });
  expect(view).toMatchObject({
    cancel_at: view.current_period_end,
    cancel_at_period_end: true,
    canceled_at: 1767225600,
    cancellation_details: { reason: "cancellation_requested" },
    ended_at: null,
  });
});

test("a subscription that ended unasked did so because its invoices stayed unpaid", () => {
  const { createTime } = sampleSubscription();
  const view = subscriptionView({ ...sampleSubscription({ state: SubscriptionState.CANCELED }), endTime: createTime });
  expect(view).toMatchObject({
    canceled_at: 1767225600,
    cancellation_details: { reason: "payment_failed" },
    ended_at: 1767225600,
  });
});

test("a subscription whose first invoice was never paid names no reason of Stripe's", () => {
  const { createTime } = sampleSubscription();
  const expired = sampleSubscription({ state: SubscriptionState.INCOMPLETE_EXPIRED });
  const view = subscriptionView({ ...expired, endTime: createTime });
  expect(view).toMatchObject({ cancellation_details: { reason: null }, ended_at: 1767225600 });
});

test("only mailed invoices have days until they are due", () => {
  const mailed = { collectionMethod: CollectionMethod.SEND_INVOICE, daysUntilDue: 0 };
  expect(subscriptionView(sampleSubscription(mailed)).days_until_due).toBe(0);
});

test("a subscription of many items has no plan and no quantity of its own", () => {
  const [item] = sampleSubscription().items;
  if (item === undefined) throw new Error("the sample has an item");
  const items = [item, { ...item, subscriptionItemId: "si_2" }];
  const view = subscriptionView(sampleSubscription({ items }));
  expect(view).toMatchObject({ plan: null, quantity: null });
  expect(view.items.data.map(({ id }) => id)).toEqual(["si_1", "si_2"]);
});

test("what was asked to be expanded stands whole where its id stood", () => {
  const invoicePdfUrl = "https://example.com/v1/invoices/in_1/pdf";
  const view = subscriptionView(sampleSubscription(), {
    customer: sampleCustomer(),
    default_payment_method: samplePaymentMethod(),
    "items.data.price.product": new Map([["prod_1", sampleProduct()]]),
    latest_invoice: sampleInvoice(),
    latestInvoiceExpansions: { invoicePdfUrl },
  });
  expect(view.customer).toEqual(customerView(sampleCustomer()));
  expect(view.default_payment_method).toEqual(paymentMethodView(samplePaymentMethod()));
  expect(view.items.data[0]?.price.product).toEqual(productView(sampleProduct()));
  expect(view.latest_invoice).toEqual(invoiceView(sampleInvoice(), { invoicePdfUrl }));
});

test("a subscription that contradicts itself is not shown", () => {
  const { recurrence: _, ...oneOff } = samplePrice();
  const items = sampleSubscription().items.map((item) => ({ ...item, price: oneOff }));
  expect(() => subscriptionView(sampleSubscription({ items }))).toThrow("a plan repeats");
  const { periodEndTime: __, ...endless } = sampleSubscription();
  expect(() => subscriptionView(endless)).toThrow("always shown");
  expect(() =>
    subscriptionView(sampleSubscription(), { latest_invoice: sampleInvoice({ invoiceId: "in_2" }) }),
  ).toThrow("in_1 was expanded with in_2");
});
