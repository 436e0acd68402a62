import type Stripe from "stripe";
import type { Invoice } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { amountOf } from "./scalars.ts";
import type { Wire } from "./wire.ts";

type Amounts = Pick<
  Wire<Stripe.Invoice>,
  "amount_due" | "amount_overpaid" | "amount_paid" | "amount_remaining" | "amount_shipping"
> & { amount_paid_off_stripe: number };

/**
 * Shows what is due, paid and left of an invoice. Tripe keeps no customer balances, so what is due is the total, or
 * nothing when that is a credit; it stays when it is paid, as Stripe's does.
 */
export function amountsView({ isPaidOutOfBand, paidMinor, totalMinor }: Invoice): Amounts {
  const dueMinor = totalMinor > 0n ? totalMinor : 0n;
  return {
    amount_due: amountOf(dueMinor),
    amount_overpaid: paidMinor > dueMinor ? amountOf(paidMinor - dueMinor) : 0,
    amount_paid: amountOf(paidMinor),
    amount_paid_off_stripe: isPaidOutOfBand ? amountOf(paidMinor) : 0,
    amount_remaining: dueMinor > paidMinor ? amountOf(dueMinor - paidMinor) : 0,
    amount_shipping: 0,
  };
}

type Totals = Pick<
  Wire<Stripe.Invoice>,
  | "subtotal"
  | "subtotal_excluding_tax"
  | "test_clock"
  | "total"
  | "total_discount_amounts"
  | "total_excluding_tax"
  | "total_pretax_credit_amounts"
  | "total_taxes"
> & { tax: number | null };

/**
 * Shows how the total of an invoice comes about. Taxes come on top, and discounts are known by their sum only: that shows
 * in `total_excluding_tax`, and no single discount does. `tax` is the sum that older versions had; null without taxes.
 */
export function totalsView({ discountMinor, subtotalMinor, taxes, totalMinor }: Invoice): Totals {
  const taxMinor = taxes.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  return {
    subtotal: amountOf(subtotalMinor),
    subtotal_excluding_tax: amountOf(subtotalMinor),
    tax: taxes.length === 0 ? null : amountOf(taxMinor),
    // An invoice does not hold its customer's test clock.
    test_clock: null,
    total: amountOf(totalMinor),
    total_discount_amounts: [],
    total_excluding_tax: amountOf(subtotalMinor - discountMinor),
    total_pretax_credit_amounts: [],
    total_taxes: taxes.map(({ amountMinor }) => ({
      amount: amountOf(amountMinor),
      tax_behavior: "exclusive",
      tax_rate_details: null,
      taxability_reason: "not_available",
      taxable_amount: null,
      type: "tax_rate_details",
    })),
  };
}
