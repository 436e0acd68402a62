import type Stripe from "stripe";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import { BillingReason, CollectionMethod, type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { PaymentMethod } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import type { Subscription } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { addressView } from "./address.ts";
import { chargeView } from "./charge.ts";
import { customerOrDeletedView } from "./customer.ts";
import { expandable, expandableOf } from "./expandable.ts";
import { amountsView, totalsView } from "./invoice-amounts.ts";
import { type InvoiceLineView, invoiceLineView } from "./invoice-line.ts";
import { type ListView, listView } from "./list.ts";
import { paymentMethodView } from "./payment-method.ts";
import { currencyOf, metadataOf, secondsOf, secondsOrNull, textOrNull, wordOf } from "./scalars.ts";
import { type SubscriptionView, subscriptionView } from "./subscription.ts";
import type { Wire } from "./wire.ts";

/**
 * What of an invoice was asked to be shown whole. `payments` is in no answer that did not ask for it. `charge` and
 * `subscription` are where older versions had them. `invoicePdfUrl` is the link to the PDF of a finalized invoice: who
 * does not know where the edge is leaves it out.
 */
export interface InvoiceExpansions {
  readonly charge?: Charge | undefined;
  readonly customer?: Customer | undefined;
  readonly default_payment_method?: PaymentMethod | undefined;
  readonly "parent.subscription_details.subscription"?: Subscription | undefined;
  readonly payments?: ListView<Wire<Stripe.InvoicePayment>> | undefined;
  readonly subscription?: Subscription | undefined;
  readonly invoicePdfUrl?: string | undefined;
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

/** Shows an invoice with its first lines. A draft has no number, no PDF and no moment of finalize. */
export function invoiceView(invoice: Invoice, expansions: InvoiceExpansions = {}): InvoiceView {
  const { isPaidOutOfBand, state } = invoice;
  const { payments } = expansions;
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
    // What was paid without an attempt, because nothing was owed or it was paid elsewhere, counts as attempted.
    attempted: invoice.attemptCount > 0 || state === InvoiceState.PAID,
    auto_advance: invoice.isAutoAdvancing && isUnderWay(invoice),
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    ...nextStepsOf(invoice),
    billing_reason: wordOf(billingReasons, invoice.billingReason),
    charge: expandable(invoice.chargeId, expansions.charge, chargeView),
    collection_method: wordOf(collectionMethods, invoice.collectionMethod),
  };
}
