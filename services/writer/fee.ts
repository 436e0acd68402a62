import { findCurrency } from "../_runtime/currency.ts";
import { assert } from "../_runtime/errors.ts";

/** What Tripe keeps of a charge: an account's, fixed when the account is made. */
export interface FeeSchedule {
  /** Hundredths of a percent of the amount. */
  readonly basisPoints: bigint;
  /** A fixed part of each charge in minor units of a currency with two decimals: 30 is 0.30 of any currency. */
  readonly fixedMinor: bigint;
}

/** The columns of an account's schedule, from `account a`. */
export interface FeeRow {
  readonly fee_basis_points: number;
  readonly fee_fixed_minor: number;
}

/** The schedule of a row. */
export function scheduleOf(row: FeeRow): FeeSchedule {
  return { basisPoints: BigInt(row.fee_basis_points), fixedMinor: BigInt(row.fee_fixed_minor) };
}

/** Hundredths of a percent in one, and minor units in one unit of a currency with two decimals. */
const ONE = 10_000n;
const CENTS = 100n;

/**
 * The fee of an amount of a currency, in its minor units: the rate and the fixed part together, rounded half up to the least
 * amount there is of the currency, and never more than the amount itself. It is kept when the charge is returned.
 */
export function feeOf(
  { amountMinor, currencyCode }: { amountMinor: bigint; currencyCode: string },
  { basisPoints, fixedMinor }: FeeSchedule,
): bigint {
  const currency = findCurrency(currencyCode);
  assert(currency !== undefined, "a charge is in a known currency");
  const unit = 10n ** BigInt(currency.exponent);
  // In parts of which a minor unit has a million, so that nothing is lost before the one rounding.
  const parts = amountMinor * basisPoints * CENTS + fixedMinor * unit * ONE;
  const step = ONE * CENTS * currency.stepMinor;
  const fee = ((parts + step / 2n) / step) * currency.stepMinor;
  return fee < amountMinor ? fee : amountMinor;
}
