import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BillingReason } from "../../gen/tripe/billing/v1/billing_reason_pb.ts";
import {
  CollectionMethod,
  type Invoice,
  type InvoiceItem,
  InvoiceItemSchema,
  type InvoiceLine,
  InvoiceLineSchema,
  type InvoicePayment,
  InvoicePaymentSchema,
  InvoicePaymentState,
  InvoiceSchema,
  InvoiceState,
} from "../../gen/tripe/billing/v1/invoice_pb.ts";
import {
  IntervalUnit,
  type Price,
  PriceSchema,
  type Product,
  ProductSchema,
} from "../../gen/tripe/billing/v1/product_pb.ts";
import {
  type Subscription,
  SubscriptionSchema,
  SubscriptionState,
} from "../../gen/tripe/billing/v1/subscription_pb.ts";

// 2026-01-01T00:00:00Z, where test clocks start, and a moment inside a second, which the wire must not show.
const createTime = timestampFromMs(Date.UTC(2026, 0, 1) + 999);
const monthLater = timestampFromMs(Date.UTC(2026, 1, 1) + 999);
const hourLater = timestampFromMs(Date.UTC(2026, 0, 1, 1) + 999);

/** Makes a product with every field set, but for what is given. */
export function sampleProduct(given: Partial<Product> = {}): Product {
  const sample = create(ProductSchema, {
    productId: "prod_1",
    name: "Gold",
    description: "all of it",
    isActive: true,
    metadata: { b: "2", a: "1" },
    defaultPriceId: "price_1",
    createTime,
    updateTime: hourLater,
  });
  return { ...sample, ...given };
}

/** Makes a price of $10.00 a month with a trial of a week, every field set, but for what is given. */
export function samplePrice(given: Partial<Price> = {}): Price {
  const sample = create(PriceSchema, {
    priceId: "price_1",
    productId: "prod_1",
    unitAmount: { amountMinor: 1000n, currencyCode: "USD" },
    recurrence: { unit: IntervalUnit.MONTH, count: 1 },
    trialPeriodDays: 7,
    lookupKey: "gold",
    nickname: "the old one",
    isActive: true,
    metadata: { b: "2", a: "1" },
    createTime,
    productName: "Gold",
  });
  return { ...sample, ...given };
}

/** Makes the line of two units of the sample price in a subscription, every field set, but for what is given. */
export function sampleInvoiceLine(given: Partial<InvoiceLine> = {}): InvoiceLine {
  const sample = create(InvoiceLineSchema, {
    invoiceLineId: "il_1",
    description: "2 × Gold",
    quantity: 2n,
    unitAmountMinor: 1000n,
    amountMinor: 2000n,
    periodStartTime: createTime,
    periodEndTime: monthLater,
    priceId: "price_1",
    productId: "prod_1",
    subscriptionItemId: "si_1",
    subscriptionId: "sub_1",
    metadata: { a: "1" },
  });
  return { ...sample, ...given };
}

/** Makes an open invoice of $20.00, $1.00 off, $3.80 of tax, every field set, but for what is given. */
export function sampleInvoice(given: Partial<Invoice> = {}): Invoice {
  const sample = create(InvoiceSchema, {
    invoiceId: "in_1",
    number: "ANN-0001",
    state: InvoiceState.OPEN,
    customerId: "cus_1",
    currencyCode: "USD",
    customerDetails: {
      address: { line1: "1 Rue", city: "Paris", postalCode: "75001", countryCode: "FR" },
      email: "a@example.com",
      name: "Ann É",
      phone: "+33 1",
    },
    lines: [sampleInvoiceLine()],
    subtotalMinor: 2000n,
    discountMinor: 100n,
    taxes: [{ displayName: "VAT 20%", amountMinor: 380n }],
    totalMinor: 2280n,
    footer: "thanks",
    description: "January",
    finalizeTime: hourLater,
    revision: 2,
    amountDue: { amountMinor: 2280n, currencyCode: "USD" },
    createTime,
    metadata: { order: "6735" },
    billingReason: BillingReason.SUBSCRIPTION_CYCLE,
    collectionMethod: CollectionMethod.CHARGE_AUTOMATICALLY,
    isAutoAdvancing: true,
    subscriptionId: "sub_1",
    periodIndex: 1,
    periodStartTime: createTime,
    periodEndTime: monthLater,
    defaultPaymentMethodId: "pm_1",
    attemptCount: 1,
    nextAttemptTime: monthLater,
    chargeId: "ch_1",
    previousPeriodStartTime: timestampFromMs(Date.UTC(2025, 11, 1)),
    subscriptionMetadata: { plan: "gold" },
  });
  return { ...sample, ...given };
}

/** Makes the same invoice before it was finalized and tried. */
export function sampleDraft(given: Partial<Invoice> = {}): Invoice {
  const { finalizeTime: _, ...draft } = sampleInvoice({
    number: "",
    state: InvoiceState.DRAFT,
    attemptCount: 0,
    nextAttemptTime: hourLater,
    chargeId: "",
  });
  return { ...draft, ...given };
}

/** Makes a pending invoice item of two units of a price, every field set but the invoice, but for what is given. */
export function sampleInvoiceItem(given: Partial<InvoiceItem> = {}): InvoiceItem {
  const sample = create(InvoiceItemSchema, {
    invoiceItemId: "ii_1",
    customerId: "cus_1",
    currencyCode: "USD",
    amountMinor: 2000n,
    quantity: 2n,
    unitAmountMinor: 1000n,
    priceId: "price_1",
    productId: "prod_1",
    description: "Two hours",
    periodStartTime: createTime,
    periodEndTime: monthLater,
    metadata: { a: "1" },
    createTime,
  });
  return { ...sample, ...given };
}

/** Makes the payment of the sample invoice by the sample charge, but for what is given. */
export function sampleInvoicePayment(given: Partial<InvoicePayment> = {}): InvoicePayment {
  const sample = create(InvoicePaymentSchema, {
    invoicePaymentId: "inpay_1",
    invoiceId: "in_1",
    chargeId: "ch_1",
    amount: { amountMinor: 2280n, currencyCode: "USD" },
    state: InvoicePaymentState.PAID,
    createTime,
    payTime: hourLater,
  });
  return { ...sample, ...given };
}

/** Makes an active subscription to two units of the sample price, after a trial, every field set, but for what is given. */
export function sampleSubscription(given: Partial<Subscription> = {}): Subscription {
  const sample = create(SubscriptionSchema, {
    subscriptionId: "sub_1",
    customerId: "cus_1",
    state: SubscriptionState.ACTIVE,
    items: [
      { subscriptionItemId: "si_1", price: samplePrice(), quantity: 2n, metadata: { seat: "window" }, createTime },
    ],
    currencyCode: "USD",
    collectionMethod: CollectionMethod.CHARGE_AUTOMATICALLY,
    defaultPaymentMethodId: "pm_1",
    anchorTime: hourLater,
    periodIndex: 0,
    periodStartTime: hourLater,
    periodEndTime: monthLater,
    trialStartTime: createTime,
    trialEndTime: hourLater,
    latestInvoiceId: "in_1",
    description: "the gold one",
    metadata: { order: "6735" },
    createTime,
  });
  return { ...sample, ...given };
}
