import { expect, test } from "vitest";
import { BillingReason } from "../../gen/tripe/billing/v1/billing_reason_pb.ts";
import { CollectionMethod, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { chargeView } from "./charge.ts";
import { customerView } from "./customer.ts";
import { invoiceView } from "./invoice.ts";
import { invoicePaymentView } from "./invoice-payment.ts";
import { listView } from "./list.ts";
import { paymentMethodView } from "./payment-method.ts";
import { subscriptionView } from "./subscription.ts";
import { golden, sampleCharge, sampleCustomer, samplePaymentMethod } from "./testing.ts";
import {
  sampleDraft,
  sampleInvoice,
  sampleInvoiceLine,
  sampleInvoicePayment,
  sampleSubscription,
} from "./testing-billing.ts";

const invoicePdfUrl = "https://example.com/v1/invoices/in_1/pdf";

test("an open invoice shows as in the golden file", () => {
  expect(JSON.stringify(invoiceView(sampleInvoice(), { invoicePdfUrl }))).toBe(golden("invoice"));
});

test("a draft shows as in the golden file, and has no PDF to link", () => {
  expect(JSON.stringify(invoiceView(sampleDraft(), { invoicePdfUrl }))).toBe(golden("invoice-draft"));
});

test("a paid invoice keeps what was due, has nothing left, and goes no further", () => {
  const payTime = sampleInvoice().createTime;
  const view = invoiceView({ ...sampleInvoice({ state: InvoiceState.PAID, paidMinor: 2280n }), payTime });
  expect(view).toMatchObject({
    status: "paid",
    paid: true,
    amount_due: 2280,
    amount_paid: 2280,
    amount_paid_off_stripe: 0,
    amount_remaining: 0,
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { paid_at: 1767225600 },
  });
});

test("an invoice paid out of band says so, and counts as attempted", () => {
  const paid = { state: InvoiceState.PAID, isPaidOutOfBand: true, paidMinor: 2280n, attemptCount: 0, chargeId: "" };
  expect(invoiceView(sampleInvoice(paid))).toMatchObject({
    amount_paid: 2280,
    amount_paid_off_stripe: 2280,
    attempted: true,
    charge: null,
    paid_out_of_band: true,
  });
});

test.each([
  [InvoiceState.VOID, "void"],
  [InvoiceState.UNCOLLECTIBLE, "uncollectible"],
])("an invoice in state %i is %s: it keeps its number, and waits for nothing", (state, status) => {
  expect(invoiceView(sampleInvoice({ state }))).toMatchObject({
    status,
    number: "ANN-0001",
    amount_remaining: 2280,
    auto_advance: false,
    next_payment_attempt: null,
    paid: false,
  });
});

test("a mailed invoice has a day it is due, and no charge to wait for", () => {
  const mailed = sampleDraft({ collectionMethod: CollectionMethod.SEND_INVOICE });
  const view = invoiceView({ ...mailed, dueTime: sampleInvoice().createTime });
  expect(view).toMatchObject({ collection_method: "send_invoice", due_date: 1767225600, next_payment_attempt: null });
  expect(view.automatically_finalizes_at).toBe(1767229200);
});

test("nothing is due of a credit", () => {
  const view = invoiceView(sampleInvoice({ subtotalMinor: -500n, discountMinor: 0n, taxes: [], totalMinor: -500n }));
  expect(view).toMatchObject({ amount_due: 0, amount_remaining: 0, subtotal: -500, total: -500 });
  expect(view).toMatchObject({ tax: null, total_excluding_tax: -500, total_taxes: [] });
});

test("what was paid beyond what was due is overpaid, and leaves nothing", () => {
  expect(invoiceView(sampleInvoice({ paidMinor: 2300n }))).toMatchObject({ amount_overpaid: 20, amount_remaining: 0 });
});

test("an invoice of no subscription has no parent", () => {
  const view = invoiceView(sampleInvoice({ subscriptionId: "", billingReason: BillingReason.MANUAL }));
  expect(view).toMatchObject({ billing_reason: "manual", parent: null, subscription: null });
});

test("the first ten lines are in the invoice, the others at the url of the list", () => {
  const lines = Array.from({ length: 11 }, (_, index) => sampleInvoiceLine({ invoiceLineId: `il_${index}` }));
  const { lines: eleven } = invoiceView(sampleInvoice({ lines }));
  expect(eleven.data.map(({ id }) => id)).toEqual(lines.slice(0, 10).map(({ invoiceLineId }) => invoiceLineId));
  expect(eleven).toMatchObject({ has_more: true, url: "/v1/invoices/in_1/lines" });
  expect(invoiceView(sampleInvoice({ lines: lines.slice(1) })).lines.has_more).toBe(false);
});

test("what was asked to be expanded stands whole where its id stood", () => {
  const payments = listView({
    url: "/v1/invoice_payments",
    data: [invoicePaymentView(sampleInvoicePayment())],
    hasMore: false,
  });
  const view = invoiceView(sampleInvoice(), {
    charge: sampleCharge(),
    customer: sampleCustomer(),
    default_payment_method: samplePaymentMethod(),
    "parent.subscription_details.subscription": sampleSubscription(),
    payments,
    subscription: sampleSubscription(),
  });
  expect(view).toEqual({
    ...invoiceView(sampleInvoice()),
    charge: chargeView(sampleCharge()),
    customer: customerView(sampleCustomer()),
    default_payment_method: paymentMethodView(samplePaymentMethod()),
    parent: {
      quote_details: null,
      subscription_details: { metadata: { plan: "gold" }, subscription: subscriptionView(sampleSubscription()) },
      type: "subscription_details",
    },
    payments,
    subscription: subscriptionView(sampleSubscription()),
  });
});

test("an invoice that contradicts itself is not shown", () => {
  expect(() => invoiceView(sampleInvoice({ state: InvoiceState.UNSPECIFIED }))).toThrow("no word");
  expect(() => invoiceView(sampleInvoice({ customerId: "" }))).toThrow("always belongs to");
  expect(() => invoiceView(sampleInvoice(), { customer: sampleCustomer({ customerId: "cus_2" }) })).toThrow(
    "cus_1 was expanded with cus_2",
  );
});

test("the time in which items could be added looks back: before the billed period, or at the invoice's making", () => {
  const seconds = (view: { period_start: number; period_end: number }) => [view.period_start, view.period_end];
  const [december, january] = [Date.UTC(2025, 11, 1) / 1_000, Date.UTC(2026, 0, 1) / 1_000];
  expect(seconds(invoiceView(sampleInvoice()))).toEqual([december, january]);
  for (const billingReason of [BillingReason.MANUAL, BillingReason.SUBSCRIPTION_CREATE]) {
    expect(seconds(invoiceView(sampleInvoice({ billingReason })))).toEqual([january, january]);
  }
});
