/** What an interval counts in: `recurring.interval` of the public API's prices. */
export type IntervalUnit = "day" | "week" | "month" | "year";

/** How often a subscription bills: every `count` units. */
export interface Interval {
  readonly unit: IntervalUnit;
  /** Whole, from 1 to INTERVAL_COUNT_MAX of the unit. */
  readonly count: number;
}

/** The longest interval of each unit: three years (`recurring.interval_count` in docs.stripe.com/api/prices/create). */
export const INTERVAL_COUNT_MAX: Readonly<Record<IntervalUnit, number>> = { day: 1_095, week: 156, month: 36, year: 3 };

/** Says whether a subscription can bill that often. */
export function isInterval({ unit, count }: Interval): boolean {
  return Number.isInteger(count) && count >= 1 && count <= INTERVAL_COUNT_MAX[unit];
}
