/// <reference lib="esnext.temporal" />
import { assert } from "../_runtime/errors.ts";
import { type Interval, type IntervalUnit, isInterval } from "./interval.ts";

/** A stretch of time that holds its start and not its end. */
export interface Period {
  readonly start: Date;
  readonly end: Date;
}

/**
 * Period `index` of a subscription: from anchor + index × interval to anchor + (index + 1) × interval. Always reckoned
 * from the anchor, never from another period, so a clamped month end comes back: 31 Jan, 28 Feb, 31 Mar
 * (docs.stripe.com/billing/subscriptions/billing-cycle). Index 0 starts at the anchor; below 0 lie the periods before
 * it, which the proration of a first, shorter period is measured by.
 *
 * Days are Stripe's, of UTC. With a zone of the IANA they are the zone's, and every bound is at the anchor's time of day
 * there: 23, 24 or 25 hours apart. A time that the clocks skip moves ahead by what they skip (02:30 becomes 03:30), a
 * time that comes twice is its first (RFC 5545, 3.3.5). Where a zone left out a whole day (Pacific/Apia, 30 December
 * 2011, the last one so far), the period of that day is empty.
 *
 * Throws at an invalid date, interval, index or zone, and beyond the year 275,760, where dates end.
 */
export function periodOf(anchor: Date, interval: Interval, index: number, zone = "UTC"): Period {
  assert(isInterval(interval), `${interval.count} ${interval.unit}s are no interval`);
  assert(Number.isSafeInteger(index), `${index} is no index of a period`);
  const first = zoned(anchor, zone);
  return { start: boundOf(first, interval, index), end: boundOf(first, interval, index + 1) };
}

/**
 * The index of the one period that holds the moment: the inverse of `periodOf`, in at most a few steps however far away
 * the moment is. Throws as `periodOf` does.
 */
export function indexAt(anchor: Date, interval: Interval, moment: Date, zone = "UTC"): number {
  assert(isInterval(interval), `${interval.count} ${interval.unit}s are no interval`);
  const first = zoned(anchor, zone);
  const awayMs = zoned(moment, zone).epochMilliseconds - first.epochMilliseconds;
  // The guess takes every unit at its mean. It misses by a period or two, as months and offsets of zones differ.
  let index = Math.floor(awayMs / (UNIT_MEAN_MS[interval.unit] * interval.count));
  while (boundOf(first, interval, index) > moment) index -= 1;
  while (boundOf(first, interval, index + 1) <= moment) index += 1;
  return index;
}

const DAY_MS = 86_400_000;

// The Gregorian calendar repeats after 400 years of 146,097 days: 4,800 months.
const UNIT_MEAN_MS: Readonly<Record<IntervalUnit, number>> = {
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: (146_097 / 4_800) * DAY_MS,
  year: (146_097 / 400) * DAY_MS,
};

function zoned(moment: Date, zone: string): Temporal.ZonedDateTime {
  assert(!Number.isNaN(moment.getTime()), "an invalid date");
  return Temporal.Instant.fromEpochMilliseconds(moment.getTime()).toZonedDateTimeISO(zone);
}

// Temporal adds calendar units on the zone's calendar, clamps to the end of a month ("constrain") and resolves what the
// clocks skip or repeat as RFC 5545 says ("compatible"). Adding nothing keeps the anchor, even the second of a repeat.
function boundOf(first: Temporal.ZonedDateTime, { unit, count }: Interval, index: number): Date {
  return new Date(first.add({ [`${unit}s`]: index * count }).epochMilliseconds);
}
