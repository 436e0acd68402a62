import { assert } from "../_runtime/errors.ts";
import { allocate } from "./allocate.ts";
import { sum } from "./amount.ts";
import { divideHalfUp, type Ratio, share } from "./ratio.ts";

/** A tax rate: `percentage` and `inclusive` of docs.stripe.com/api/tax_rates/object. */
export interface TaxTerms {
  /** At or above zero. */
  readonly rate: Ratio;
  /** Whether the prices hold the tax already; else it comes on top. */
  readonly isInclusive: boolean;
}

/** One tax of an invoice. */
export interface TaxShares {
  readonly isInclusive: boolean;
  /** What was taxed, without any tax: `taxable_amount`. */
  readonly taxableMinor: bigint;
  readonly amountMinor: bigint;
  /** How much of it falls on each line, in their order. */
  readonly lineAmountsMinor: readonly bigint[];
}

/**
 * Taxes an invoice's discounted lines (docs.stripe.com/tax/tax-rates). An inclusive tax is taken out of the prices: of
 * 119 at 19 % it is 19, and several share one net amount. An exclusive tax is put on the net amount; taxes are not taxed.
 * Each is rounded once for the whole invoice, a half away from zero: Stripe's rounding "at the invoice level".
 * `netMinor` is what the lines come to without any tax. Throws at a rate below zero.
 */
export function taxesOf(
  lineAmountsMinor: readonly bigint[],
  taxes: readonly TaxTerms[],
): { readonly taxes: TaxShares[]; readonly netMinor: bigint } {
  assert(
    taxes.every(({ rate }) => rate.numerator >= 0n),
    "a tax rate below zero",
  );
  const grossMinor = sum(lineAmountsMinor);
  const inclusiveMinor = inclusiveAmountsOf(grossMinor, taxes);
  const netMinor = grossMinor - sum(inclusiveMinor);
  const shares = taxes.map(({ rate, isInclusive }, index) => {
    const amountMinor = isInclusive ? (inclusiveMinor[index] ?? 0n) : share(netMinor, rate);
    return {
      isInclusive,
      taxableMinor: netMinor,
      amountMinor,
      lineAmountsMinor: allocate(amountMinor, lineAmountsMinor),
    };
  });
  return { taxes: shares, netMinor };
}

// gross × rate ÷ (1 + all inclusive rates), brought to one denominator so that nothing but the end is rounded.
function inclusiveAmountsOf(grossMinor: bigint, taxes: readonly TaxTerms[]): bigint[] {
  const denominator = taxes.reduce((product, { rate }) => product * rate.denominator, 1n);
  const numerators = taxes.map(({ rate, isInclusive }) =>
    isInclusive ? (rate.numerator * denominator) / rate.denominator : 0n,
  );
  return numerators.map((numerator) => divideHalfUp(grossMinor * numerator, denominator + sum(numerators)));
}
