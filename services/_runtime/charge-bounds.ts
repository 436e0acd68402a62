import { assert } from "./assert.ts";
import { findCurrency } from "./currency.ts";

/** Between what and what the total of an invoice lies that is above zero, in minor units. */
export interface ChargeBounds {
  readonly leastMinor: bigint;
  readonly mostMinor: bigint;
}

/** Eight digits: the most one charge may be (docs.stripe.com/api/charges/create), and an invoice is paid by one. */
export const CHARGE_MAX_MINOR = 99_999_999n;

/**
 * The bounds of an invoice: what a charge may be, when it is charged by itself. What is mailed may be paid elsewhere, and may
 * be as little as its customer and its merchant like. Throws on a currency in which Tripe does not charge.
 */
export function chargeBounds({ currencyCode, isCharged }: { currencyCode: string; isCharged: boolean }): ChargeBounds {
  const currency = findCurrency(currencyCode);
  assert(currency !== undefined, `Tripe does not charge in ${currencyCode}`);
  return { leastMinor: isCharged ? currency.minimumMinor : 1n, mostMinor: CHARGE_MAX_MINOR };
}
