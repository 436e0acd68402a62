import type Stripe from "stripe";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import type { Invoice, InvoiceItem } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { customerOrDeletedView } from "./customer.ts";
import { expandable, expandableOf } from "./expandable.ts";
import { invoiceView } from "./invoice.ts";
import { type OlderPriceView, olderPriceView, pricingView } from "./pricing.ts";
import { amountOf, currencyOf, metadataOf, secondsOf, textOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What of an invoice item was asked to be shown whole. */
export interface InvoiceItemExpansions {
  readonly customer?: Customer | undefined;
  readonly invoice?: Invoice | undefined;
}

/** Fields that newer versions dropped and programs for older ones still read. */
export interface OlderInvoiceItemFields {
  plan: null;
  price: OlderPriceView | null;
  subscription: null;
  unit_amount: number | null;
  unit_amount_decimal: string | null;
}

/** An invoice item as the public API shows it. */
export type InvoiceItemView = Wire<Stripe.InvoiceItem> & OlderInvoiceItemFields;

/**
 * Shows an invoice item. Its noun does not hold the subscription of a proration, so every one is shown as made by hand:
 * without a parent, and as no proration.
 */
export function invoiceItemView(item: InvoiceItem, expansions: InvoiceItemExpansions = {}): InvoiceItemView {
  const pricing = pricingView(item);
  return {
    id: item.invoiceItemId,
    object: "invoiceitem",
    amount: amountOf(item.amountMinor),
    currency: currencyOf(item.currencyCode),
    customer: expandableOf(item.customerId, expansions.customer, customerOrDeletedView),
    customer_account: null,
    date: secondsOf(item.createTime),
    description: textOrNull(item.description),
    discountable: true,
    discounts: [],
    invoice: expandable(item.invoiceId, expansions.invoice, invoiceView),
    livemode: item.isLive,
    metadata: metadataOf(item.metadata),
    parent: null,
    period: {
      end: secondsOf(item.periodEndTime ?? item.createTime),
      start: secondsOf(item.periodStartTime ?? item.createTime),
    },
    plan: null,
    price: olderPriceView(item, item),
    pricing,
    proration: false,
    quantity: amountOf(item.quantity),
    quantity_decimal: String(item.quantity),
    subscription: null,
    tax_rates: [],
    test_clock: null,
    unit_amount: pricing.unit_amount_decimal === null ? null : Number(pricing.unit_amount_decimal),
    unit_amount_decimal: pricing.unit_amount_decimal,
  };
}
