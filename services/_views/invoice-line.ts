import type Stripe from "stripe";
import type { Invoice, InvoiceLine } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { type OlderPlanView, type OlderPriceView, olderPlanView, olderPriceView, pricingView } from "./pricing.ts";
import { amountOf, currencyOf, metadataOf, secondsOf, textOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** Fields that newer versions dropped and programs for older ones still read. */
export interface OlderInvoiceLineFields {
  invoice_item: string | null;
  plan: OlderPlanView | null;
  price: OlderPriceView | null;
  proration: boolean;
  subscription_item: string | null;
  type: "invoiceitem" | "subscription";
}

/** A line as the public API shows it. */
export type InvoiceLineView = Wire<Stripe.InvoiceLineItem> & OlderInvoiceLineFields;

/**
 * Shows a line of the given invoice. A one-off covers the moment at which its invoice was made. Discounts and taxes are
 * known of whole invoices only, and which lines are prorations is not known: none is shown as one.
 */
export function invoiceLineView(line: InvoiceLine, invoice: Invoice): InvoiceLineView {
  const isOfPlan = line.subscriptionItemId !== "";
  return {
    id: line.invoiceLineId,
    object: "line_item",
    amount: amountOf(line.amountMinor),
    currency: currencyOf(invoice.currencyCode),
    description: textOrNull(line.description),
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: textOrNull(invoice.invoiceId),
    invoice_item: textOrNull(line.invoiceItemId),
    livemode: invoice.isLive,
    // A subscription's line shows the subscription's metadata (docs.stripe.com/api/invoice-line-item/object).
    metadata: metadataOf(isOfPlan && line.invoiceItemId === "" ? invoice.subscriptionMetadata : line.metadata),
    parent: parentView(line),
    period: {
      end: secondsOf(line.periodEndTime ?? invoice.createTime),
      start: secondsOf(line.periodStartTime ?? invoice.createTime),
    },
    plan: isOfPlan ? olderPlanView(line, invoice) : null,
    pretax_credit_amounts: [],
    price: olderPriceView(line, invoice),
    pricing: pricingView(line),
    proration: false,
    quantity: amountOf(line.quantity),
    quantity_decimal: String(line.quantity),
    subscription: textOrNull(line.subscriptionId),
    subscription_item: textOrNull(line.subscriptionItemId),
    subtotal: amountOf(line.amountMinor),
    taxes: [],
    type: isOfPlan && line.invoiceItemId === "" ? "subscription" : "invoiceitem",
  };
}

/** What made the line: a subscription's item, or an invoice item; null when it was written by hand. */
function parentView(line: InvoiceLine): Wire<Stripe.InvoiceLineItem.Parent> | null {
  const { invoiceItemId, subscriptionItemId } = line;
  if (invoiceItemId === "" && subscriptionItemId === "") return null;
  const proration = { proration: false, proration_details: { credited_items: null } };
  const subscription = textOrNull(line.subscriptionId);
  if (subscriptionItemId === "") {
    return {
      invoice_item_details: { invoice_item: invoiceItemId, ...proration, subscription },
      subscription_item_details: null,
      type: "invoice_item_details",
    };
  }
  return {
    invoice_item_details: null,
    subscription_item_details: {
      invoice_item: textOrNull(invoiceItemId),
      ...proration,
      subscription,
      subscription_item: subscriptionItemId,
    },
    type: "subscription_item_details",
  };
}
