import { assert } from "../_runtime/errors.ts";
import type { Period } from "./periods.ts";
import { share } from "./ratio.ts";

/**
 * The part of a period's amount that falls on the time from `from` to `to`, by the second
 * (docs.stripe.com/billing/subscriptions/prorations; fractions of a second are cut off, as Stripe's times have none).
 * It is the difference of what is left of the amount at both times, each rounded half away from zero: up to the end of
 * the period that is plain rounding, and the parts of a period always sum to its amount. A credit is the charge negated.
 * Throws unless start ≤ from ≤ to ≤ end and the period is a second or longer.
 */
export function prorate(terms: {
  readonly amountMinor: bigint;
  readonly from: Date;
  readonly to: Date;
  readonly period: Period;
}): bigint {
  const { amountMinor, from, to, period } = terms;
  assert(from <= to, "a part that ends before it starts");
  return leftOf(amountMinor, from, period) - leftOf(amountMinor, to, period);
}

/** What a change in the middle of a period adds to the next invoice: two items, each marked as a proration. */
export interface ProratedChange {
  /** The unused time at the old amount, at or below zero for a price above zero. */
  readonly creditMinor: bigint;
  /** The remaining time at the new amount. */
  readonly chargeMinor: bigint;
}

/**
 * Prorates a change of price or quantity: what was paid for the rest of the period comes back, and the rest is charged
 * anew (docs.stripe.com/billing/subscriptions/prorations: from 10 to 20 USD at half time, -5 and +10). Amounts are whole
 * lines, price times quantity. Whatever the changes, a period costs the sum of what `prorate` says of its parts.
 */
export function prorateChange(terms: {
  readonly oldAmountMinor: bigint;
  readonly newAmountMinor: bigint;
  readonly changeTime: Date;
  readonly period: Period;
}): ProratedChange {
  const { oldAmountMinor, newAmountMinor, changeTime, period } = terms;
  const rest = { from: changeTime, to: period.end, period };
  return {
    creditMinor: -prorate({ amountMinor: oldAmountMinor, ...rest }),
    chargeMinor: prorate({ amountMinor: newAmountMinor, ...rest }),
  };
}

function leftOf(amountMinor: bigint, moment: Date, { start, end }: Period): bigint {
  const [startSecond, second, endSecond] = [secondOf(start), secondOf(moment), secondOf(end)];
  assert(startSecond < endSecond, "a period shorter than a second");
  assert(start <= moment && moment <= end, "a part outside of its period");
  return share(amountMinor, { numerator: endSecond - second, denominator: endSecond - startSecond });
}

function secondOf(moment: Date): bigint {
  assert(!Number.isNaN(moment.getTime()), "an invalid date");
  return BigInt(Math.floor(moment.getTime() / 1_000));
}
