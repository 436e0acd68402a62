import { assert } from "../_runtime/errors.ts";

/** An exact fraction: no rate and no price passes through a floating-point number. The denominator is positive. */
export interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/**
 * Reads a decimal such as a price's `unit_amount_decimal`: "12", "0.5", "-0.000000000001". It has at most 16 digits
 * before the point, as 2^53 - 1 has, and 12 behind it, the most the public API takes; anything else throws.
 */
export function decimal(text: string): Ratio {
  const match = /^(-?)(\d{1,16})(?:\.(\d{1,12}))?$/.exec(text);
  assert(match !== null, `"${text}" is no decimal of at most 16 digits and 12 behind the point`);
  const [, sign = "", whole = "", fraction = ""] = match;
  return { numerator: BigInt(`${sign}${whole}${fraction}`), denominator: 10n ** BigInt(fraction.length) };
}

/** Reads a percentage, 0 to 100, such as a tax rate's "19.6" or a coupon's "33.33"; anything else throws. */
export function percent(text: string): Ratio {
  const { numerator, denominator } = decimal(text);
  assert(numerator >= 0n && numerator <= 100n * denominator, `"${text}" is no percentage from 0 to 100`);
  return { numerator, denominator: denominator * 100n };
}

/** Makes a ratio of basis points, hundredths of a percent: 1,960 of them are 19.6 %. */
export function basisPoints(count: bigint): Ratio {
  return { numerator: count, denominator: 10_000n };
}

/** The ratio of an amount, rounded to the nearest whole minor unit, a half away from zero: 0.5 is 1, -0.5 is -1. */
export function share(amountMinor: bigint, { numerator, denominator }: Ratio): bigint {
  return divideHalfUp(amountMinor * numerator, denominator);
}

/**
 * Divides and rounds to the nearest whole number, a half away from zero: so a credit is its charge with the sign turned.
 * It is what Stripe's own library calls half-up (`Decimal.round` of stripe-node). Throws at a divisor below 1.
 */
export function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  assert(divisor > 0n, "a divisor below 1");
  const half = (dividend < 0n ? -divisor : divisor) / 2n;
  // An odd divisor's half is cut down, and no whole remainder lies between the two.
  return (dividend + half) / divisor;
}
