import fc from "fast-check";
import { expect, test } from "vitest";
import { INTERVAL_COUNT_MAX, type Interval, type IntervalUnit, isInterval } from "./interval.ts";
import { indexAt, periodOf } from "./periods.ts";
import { momentOfWall, wallMsOf, zones } from "./testing-zones.ts";

const DAY_MS = 86_400_000;
const monthly: Interval = { unit: "month", count: 1 };
const daily: Interval = { unit: "day", count: 1 };
const yearly: Interval = { unit: "year", count: 1 };

const anyUnit = fc.constantFrom<IntervalUnit>("day", "week", "month", "year");
const anyInterval = anyUnit.chain((unit) =>
  fc.integer({ min: 1, max: INTERVAL_COUNT_MAX[unit] }).map((count) => ({ unit, count })),
);
// After 2011, so that no zone skips a whole day.
const anyMoment = fc.date({ min: new Date("2012-01-01Z"), max: new Date("2080-01-01Z"), noInvalidDate: true });
const anyZone = fc.constantFrom(...zones);
const anyIndex = fc.integer({ min: -30, max: 600 });

test("a subscription of 31 January bills at the end of short months and on the 31st again", () => {
  expect(startsOf("2026-01-31T10:00:00Z", monthly, 6)).toEqual([
    "2026-01-31T10:00:00.000Z",
    "2026-02-28T10:00:00.000Z",
    "2026-03-31T10:00:00.000Z",
    "2026-04-30T10:00:00.000Z",
    "2026-05-31T10:00:00.000Z",
    "2026-06-30T10:00:00.000Z",
  ]);
  expect(startsOf("2028-01-31T10:00:00Z", monthly, 2)[1]).toBe("2028-02-29T10:00:00.000Z");
});

test("a yearly subscription of 29 February bills on the 28th and on the 29th again in leap years", () => {
  expect(startsOf("2024-02-29T00:00:00Z", yearly, 5).map((start) => start.slice(0, 10))).toEqual([
    "2024-02-29",
    "2025-02-28",
    "2026-02-28",
    "2027-02-28",
    "2028-02-29",
  ]);
});

test("a zone's time of day stays while its clocks change", () => {
  const starts = startsOf("2026-03-27T11:00:00Z", daily, 4, "Europe/Berlin");
  expect(starts.map((start) => start.slice(11, 16))).toEqual(["11:00", "11:00", "10:00", "10:00"]);
});

test("a time that the clocks skip moves ahead, and the day after it is back", () => {
  const starts = startsOf("2026-03-28T01:30:00Z", daily, 3, "Europe/Berlin");
  expect(starts).toEqual(["2026-03-28T01:30:00.000Z", "2026-03-29T01:30:00.000Z", "2026-03-30T00:30:00.000Z"]);
});

test("a time that comes twice is its first, but an anchor stays where it is", () => {
  const starts = startsOf("2026-10-24T00:30:00Z", daily, 3, "Europe/Berlin");
  expect(starts).toEqual(["2026-10-24T00:30:00.000Z", "2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"]);
  expect(startsOf("2026-10-25T01:30:00Z", daily, 2, "Europe/Berlin")).toEqual([
    "2026-10-25T01:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
  ]);
});

test("the period of a day that a zone left out is empty, and holds no moment", () => {
  const anchor = new Date("2011-12-28T20:00:00Z");
  const skipped = periodOf(anchor, daily, 2, "Pacific/Apia");
  expect(skipped).toEqual({ start: skipped.end, end: new Date("2011-12-30T20:00:00Z") });
  expect(indexAt(anchor, daily, skipped.start, "Pacific/Apia")).toBe(3);
  expect(indexAt(anchor, daily, new Date(skipped.start.getTime() - 1), "Pacific/Apia")).toBe(1);
});

test.each(zones)("daily periods over 400 days in %s start when Intl says that the anchor's time comes", (zone) => {
  // Midnight and half past two stand for the two times of day at which clocks change.
  for (const anchorWallMs of [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1, 2, 30)]) {
    const anchor = momentOfWall(anchorWallMs, zone);
    for (let index = 0; index < 400; index += 1) {
      const { start, end } = periodOf(anchor, daily, index, zone);
      expect(start).toEqual(momentOfWall(anchorWallMs + index * DAY_MS, zone));
      expect(indexAt(anchor, daily, start, zone)).toBe(index);
      expect(indexAt(anchor, daily, new Date(end.getTime() - 1), zone)).toBe(index);
    }
  }
});

test("periods follow each other without gap or overlap, and each has a length", () => {
  fc.assert(
    fc.property(anyMoment, anyInterval, anyIndex, anyZone, (anchor, interval, index, zone) => {
      const { start, end } = periodOf(anchor, interval, index, zone);
      expect(end > start).toBe(true);
      expect(periodOf(anchor, interval, index + 1, zone).start).toEqual(end);
      expect(periodOf(anchor, interval, 0, zone).start).toEqual(anchor);
    }),
  );
});

test("indexAt is the inverse of periodOf, from a period's first millisecond to its last", () => {
  fc.assert(
    fc.property(anyMoment, anyInterval, anyIndex, anyZone, (anchor, interval, index, zone) => {
      const { start, end } = periodOf(anchor, interval, index, zone);
      expect(indexAt(anchor, interval, start, zone)).toBe(index);
      expect(indexAt(anchor, interval, new Date(end.getTime() - 1), zone)).toBe(index);
      expect(indexAt(anchor, interval, end, zone)).toBe(index + 1);
    }),
  );
});

test("every moment is in the period that indexAt names", () => {
  fc.assert(
    fc.property(anyMoment, anyInterval, anyMoment, anyZone, (anchor, interval, moment, zone) => {
      const { start, end } = periodOf(anchor, interval, indexAt(anchor, interval, moment, zone), zone);
      expect(start <= moment && moment < end).toBe(true);
    }),
  );
});

test("the day of the month is the anchor's, or the month's last, in every zone", () => {
  fc.assert(
    fc.property(anyMoment, fc.integer({ min: 1, max: 36 }), anyIndex, anyZone, (anchor, count, index, zone) => {
      const from = new Date(wallMsOf(anchor, zone));
      const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + index * count];
      const dayLast = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
      const timeMs = from.getTime() - Date.UTC(year, from.getUTCMonth(), from.getUTCDate());
      const wallMs = Date.UTC(year, month, Math.min(from.getUTCDate(), dayLast)) + timeMs;
      const { start } = periodOf(anchor, { unit: "month", count }, index, zone);
      expect(start).toEqual(index === 0 ? anchor : momentOfWall(wallMs, zone));
    }),
  );
});

test("a moment seven thousand years away is found in no time", () => {
  const [anchor, moment] = [new Date("2026-01-31Z"), new Date("9026-03-01Z")];
  for (const zone of zones) {
    const index = indexAt(anchor, daily, moment, zone);
    expect(periodOf(anchor, daily, index, zone).end > moment).toBe(true);
    expect(indexAt(moment, monthly, anchor, zone)).toBeLessThan(-83_000);
  }
});

test("what is no date, interval, index or zone is a bug", () => {
  const anchor = new Date("2026-01-31Z");
  expect(() => periodOf(new Date(Number.NaN), monthly, 0)).toThrow("an invalid date");
  expect(() => indexAt(anchor, monthly, new Date(Number.NaN))).toThrow("an invalid date");
  expect(() => periodOf(anchor, { unit: "month", count: 0 }, 0)).toThrow("0 months are no interval");
  expect(() => indexAt(anchor, { unit: "year", count: 4 }, anchor)).toThrow("4 years are no interval");
  expect(() => periodOf(anchor, monthly, 0.5)).toThrow("0.5 is no index");
  expect(() => periodOf(anchor, monthly, 0, "Europe/Atlantis")).toThrow(RangeError);
  expect(() => periodOf(anchor, yearly, 300_000)).toThrow(RangeError);
});

test("an interval is at most three years long", () => {
  const counts: [IntervalUnit, number][] = [
    ["day", 1_095],
    ["week", 156],
    ["month", 36],
    ["year", 3],
  ];
  for (const [unit, count] of counts) {
    expect([isInterval({ unit, count }), isInterval({ unit, count: count + 1 })]).toEqual([true, false]);
    expect([isInterval({ unit, count: 0 }), isInterval({ unit, count: 1.5 })]).toEqual([false, false]);
  }
});

function startsOf(anchor: string, interval: Interval, count: number, zone?: string): string[] {
  const indexes = Array.from({ length: count }, (_, index) => index);
  return indexes.map((index) => periodOf(new Date(anchor), interval, index, zone).start.toISOString());
}
