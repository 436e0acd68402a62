import { assert } from "../_runtime/errors.ts";
import { allocate } from "./allocate.ts";
import { checkAmount, sum } from "./amount.ts";
import { decimal, type Ratio, share } from "./ratio.ts";
import { type TaxShares, type TaxTerms, taxesOf } from "./taxes.ts";

/** A line of an invoice: a charge above zero or a credit below it. */
export interface LineTerms {
  readonly amountMinor: bigint;
  /**
   * Whether discounts reduce it. Without a word they reduce charges; a proration must say false (`discountable` in
   * docs.stripe.com/api/invoiceitems/object). A credit is never reduced.
   */
  readonly isDiscountable?: boolean;
}

/** What a coupon takes off: an amount above zero, or a ratio of what the discounts before it left. */
export type DiscountTerms = { readonly amountOffMinor: bigint } | { readonly ratioOff: Ratio };

/** One discount or one tax, and how much of it falls on each line, in the order of the lines. */
export interface Shares {
  readonly amountMinor: bigint;
  readonly lineAmountsMinor: readonly bigint[];
}

/** What an invoice comes to, in minor units of its currency. */
export interface Totals {
  /** The sum of the lines. */
  readonly subtotalMinor: bigint;
  /** One for each discount, in their order; amounts are positive and to be taken off. */
  readonly discounts: readonly Shares[];
  /** One for each tax, in their order. */
  readonly taxes: readonly TaxShares[];
  /** After discounts, without any tax: `total_excluding_tax`. */
  readonly totalExcludingTaxMinor: bigint;
  /** After discounts, with every tax; below zero when credits outweigh charges. */
  readonly totalMinor: bigint;
}

/**
 * Adds up an invoice: subtotal, discounts, taxes, total, in this order (docs.stripe.com/api/invoices/object). Discounts
 * follow each other, each on what the ones before it left, and end at zero (docs.stripe.com/billing/subscriptions/
 * coupons, "stacking"). Discounts and taxes are rounded once per invoice, a half away from zero, and shared out to the
 * lines by `allocate`. Refuses amounts beyond 2^53 - 1 (AMOUNT_OUT_OF_RANGE); throws at a negative amount or ratio off.
 */
export function totalsOf(terms: {
  readonly lines: readonly LineTerms[];
  readonly discounts?: readonly DiscountTerms[];
  readonly taxes?: readonly TaxTerms[];
}): Totals {
  const amountsMinor = terms.lines.map(({ amountMinor }) => checkAmount(amountMinor, "the amount of a line"));
  const subtotalMinor = checkAmount(sum(amountsMinor), "the subtotal");
  const discounts = discountsOf(terms.lines, terms.discounts ?? []);
  const discountedMinor = discounts.reduce(
    (left, { lineAmountsMinor }) => subtract(left, lineAmountsMinor),
    amountsMinor,
  );
  const { taxes, netMinor } = taxesOf(discountedMinor, terms.taxes ?? []);
  const totalMinor = checkAmount(netMinor + sum(taxes.map(({ amountMinor }) => amountMinor)), "the total");
  return { subtotalMinor, discounts, taxes, totalExcludingTaxMinor: netMinor, totalMinor };
}

/**
 * The amount of a line: price times quantity, rounded once, a half away from zero, so that 1,000 units at "0.05" cost 50
 * (`unit_amount_decimal` in docs.stripe.com/api/prices/object). The price is whole minor units, or such a decimal as
 * text. Refuses what is beyond 2^53 - 1 (AMOUNT_OUT_OF_RANGE); throws at text that is no decimal.
 */
export function lineAmount(terms: { readonly unitAmountMinor: bigint | string; readonly quantity: bigint }): bigint {
  return checkAmount(share(terms.quantity, decimal(String(terms.unitAmountMinor))), "the amount of a line");
}

function discountsOf(lines: readonly LineTerms[], discounts: readonly DiscountTerms[]): Shares[] {
  let leftMinor = lines.map(({ amountMinor, isDiscountable = true }) =>
    isDiscountable && amountMinor > 0n ? amountMinor : 0n,
  );
  return discounts.map((discount) => {
    const amountMinor = amountOffOf(discount, sum(leftMinor));
    const lineAmountsMinor = allocate(amountMinor, leftMinor);
    leftMinor = subtract(leftMinor, lineAmountsMinor);
    return { amountMinor, lineAmountsMinor };
  });
}

function amountOffOf(discount: DiscountTerms, leftMinor: bigint): bigint {
  const offMinor = "ratioOff" in discount ? share(leftMinor, discount.ratioOff) : discount.amountOffMinor;
  assert(offMinor >= 0n, "a discount below zero");
  return offMinor < leftMinor ? offMinor : leftMinor;
}

function subtract(fromMinor: readonly bigint[], amountsMinor: readonly bigint[]): bigint[] {
  return fromMinor.map((amountMinor, index) => amountMinor - (amountsMinor[index] ?? 0n));
}
