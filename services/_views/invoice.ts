import type Stripe from "stripe";
import { BillingReason } from "../../gen/tripe/billing/v1/billing_reason_pb.ts";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import { type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { PaymentMethod } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import type { Subscription } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { chargeView } from "./charge.ts";
import { collectionMethodOf } from "./collection-method.ts";
import { expandable, expandableOf } from "./expandable.ts";
import { amountsView, totalsView } from "./invoice-amounts.ts";
import { invoiceCustomerView } from "./invoice-customer.ts";
import { type InvoiceLineView, invoiceLineView } from "./invoice-line.ts";
import { finalizeSecondsOf, isAdvancing, paymentSecondsOf, transitionsView } from "./invoice-steps.ts";
import { type ListView, listView } from "./list.ts";
import { paymentMethodView } from "./payment-method.ts";
import { currencyOf, metadataOf, secondsOf, secondsOrNull, textOrNull, wordOf } from "./scalars.ts";
import { type SubscriptionView, subscriptionView } from "./subscription.ts";
import type { Wire } from "./wire.ts";

/**
 * What of an invoice was asked to be shown whole. `payments` is in no answer that did not ask for it; `charge` and
 * `subscription` are where older versions had them. `invoicePdfUrl` is the link to the PDF, for those who know it.
 */
export interface InvoiceExpansions {
  readonly charge?: Charge | undefined;
  readonly customer?: Customer | undefined;
  readonly default_payment_method?: PaymentMethod | undefined;
  readonly invoicePdfUrl?: string | undefined;
  readonly "parent.subscription_details.subscription"?: Subscription | undefined;
  readonly payments?: ListView<Wire<Stripe.InvoicePayment>> | undefined;
  readonly subscription?: Subscription | undefined;
}

/** Fields that newer versions dropped and programs for older ones still read. */
export interface OlderInvoiceFields {
  application_fee_amount: null;
  charge: string | Wire<Stripe.Charge> | null;
  discount: null;
  paid: boolean;
  paid_out_of_band: boolean;
  payment_intent: null;
  quote: null;
  subscription: string | SubscriptionView | null;
  tax: number | null;
  transfer_data: null;
}

/** An invoice as the public API shows it. */
export type InvoiceView = Wire<Stripe.Invoice> & OlderInvoiceFields & { lines: ListView<InvoiceLineView> };

/** Shows an invoice and the first of its lines. A draft has no number, no PDF and no balance at its end yet. */
export function invoiceView(invoice: Invoice, expansions: InvoiceExpansions = {}): InvoiceView {
  const { invoicePdfUrl, payments } = expansions;
  const isFinal = invoice.finalizeTime !== undefined;
  const isPaid = invoice.state === InvoiceState.PAID;
  return {
    id: invoice.invoiceId,
    object: "invoice",
    account_country: null,
    account_name: null,
    account_tax_ids: null,
    ...amountsView(invoice),
    application: null,
    application_fee_amount: null,
    attempt_count: invoice.attemptCount,
    // What was paid without an attempt, elsewhere or because nothing was due, counts as attempted.
    attempted: invoice.attemptCount > 0 || isPaid,
    auto_advance: isAdvancing(invoice),
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: finalizeSecondsOf(invoice),
    billing_reason: wordOf(billingReasons, invoice.billingReason),
    charge: expandable(invoice.chargeId, expansions.charge, chargeView),
    collection_method: collectionMethodOf(invoice.collectionMethod),
    created: secondsOf(invoice.createTime),
    currency: currencyOf(invoice.currencyCode),
    custom_fields: null,
    ...invoiceCustomerView(invoice, expansions.customer),
    default_payment_method: expandable(
      invoice.defaultPaymentMethodId,
      expansions.default_payment_method,
      paymentMethodView,
    ),
    default_source: null,
    default_tax_rates: [],
    description: textOrNull(invoice.description),
    discount: null,
    discounts: [],
    due_date: secondsOrNull(invoice.dueTime),
    effective_at: secondsOrNull(invoice.finalizeTime),
    ending_balance: isFinal ? 0 : null,
    footer: textOrNull(invoice.footer),
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: isFinal ? (invoicePdfUrl ?? null) : null,
    issuer: { type: "self" },
    last_finalization_error: null,
    latest_revision: null,
    lines: linesView(invoice),
    livemode: invoice.isLive,
    metadata: metadataOf(invoice.metadata),
    next_payment_attempt: paymentSecondsOf(invoice),
    number: textOrNull(invoice.number),
    on_behalf_of: null,
    paid: isPaid,
    paid_out_of_band: invoice.isPaidOutOfBand,
    parent: parentView(invoice, expansions["parent.subscription_details.subscription"]),
    payment_intent: null,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    ...(payments === undefined ? {} : { payments }),
    ...periodView(invoice),
    ...unoffered,
    status: wordOf(statuses, invoice.state),
    status_transitions: transitionsView(invoice),
    subscription: expandable(invoice.subscriptionId, expansions.subscription, subscriptionView),
    ...totalsView(invoice),
    transfer_data: null,
    webhooks_delivered_at: null,
  };
}

// Tripe has no credit notes, quotes, shipping of goods or balances of customers.
const unoffered = {
  post_payment_credit_notes_amount: 0,
  pre_payment_credit_notes_amount: 0,
  quote: null,
  receipt_number: null,
  rendering: null,
  shipping_cost: null,
  shipping_details: null,
  starting_balance: 0,
  statement_descriptor: null,
} as const;

const statuses = {
  [InvoiceState.DRAFT]: "draft",
  [InvoiceState.OPEN]: "open",
  [InvoiceState.PAID]: "paid",
  [InvoiceState.UNCOLLECTIBLE]: "uncollectible",
  [InvoiceState.VOID]: "void",
} as const;

const billingReasons = {
  [BillingReason.MANUAL]: "manual",
  [BillingReason.SUBSCRIPTION_CREATE]: "subscription_create",
  [BillingReason.SUBSCRIPTION_CYCLE]: "subscription_cycle",
  [BillingReason.PENDING_ITEMS]: "automatic_pending_invoice_item_invoice",
} as const;

// As many as a page of Stripe's lists has when nobody says how many; the others are at the list's url.
const LINES_MAX = 10;

function linesView(invoice: Invoice): ListView<InvoiceLineView> {
  return listView({
    url: `/v1/invoices/${invoice.invoiceId}/lines`,
    data: invoice.lines.slice(0, LINES_MAX).map((line) => invoiceLineView(line, invoice)),
    hasMore: invoice.lines.length > LINES_MAX,
  });
}

/**
 * The time in which items could be added to the invoice, which lies before the period that its lines bill: of a renewal the
 * period before, of a subscription's first invoice and of any other the moment it was made
 * (docs.stripe.com/api/invoices/object, period_start).
 */
function periodView(invoice: Invoice): { period_end: number; period_start: number } {
  const { billingReason, createTime, periodStartTime, previousPeriodStartTime } = invoice;
  if (billingReason !== BillingReason.SUBSCRIPTION_CYCLE) {
    return { period_end: secondsOf(createTime), period_start: secondsOf(createTime) };
  }
  const end = periodStartTime ?? createTime;
  return { period_end: secondsOf(end), period_start: secondsOf(previousPeriodStartTime ?? end) };
}

/** What made the invoice: a subscription; null when a merchant did. */
function parentView(
  { subscriptionId, subscriptionMetadata }: Invoice,
  subscription: Subscription | undefined,
): Wire<Stripe.Invoice.Parent> | null {
  if (subscriptionId === "") return null;
  return {
    quote_details: null,
    subscription_details: {
      metadata: metadataOf(subscriptionMetadata),
      subscription: expandableOf(subscriptionId, subscription, subscriptionView),
    },
    type: "subscription_details",
  };
}
