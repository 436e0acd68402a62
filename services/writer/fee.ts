/** What Tripe keeps of a charge. */
export interface FeeSchedule {
  /** Hundredths of a percent of the amount. */
  readonly basisPoints: bigint;
  /** Minor units a charge, in whatever currency it is. */
  readonly fixedMinor: bigint;
}

/** Stripe's published price of a domestic card: 2.9 % and 30 minor units; kept when the charge is returned. */
export const DEFAULT_FEE_SCHEDULE: FeeSchedule = { basisPoints: 290n, fixedMinor: 30n };

/** The fee of an amount, both in minor units: rounded half up, and never more than the amount itself. */
export function feeOf(amountMinor: bigint, { basisPoints, fixedMinor }: FeeSchedule): bigint {
  const fee = (amountMinor * basisPoints + 5_000n) / 10_000n + fixedMinor;
  return fee < amountMinor ? fee : amountMinor;
}
