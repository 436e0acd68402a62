import fc from "fast-check";
import { expect, test } from "vitest";
import { sum } from "./amount.ts";
import type { Period } from "./periods.ts";
import { prorate, prorateChange } from "./proration.ts";

const june: Period = { start: new Date("2026-06-01Z"), end: new Date("2026-07-01Z") };

const anyAmount = fc.bigInt(-(2n ** 53n), 2n ** 53n);
const anyStart = fc.date({ min: new Date("2000-01-01Z"), max: new Date("2080-01-01Z"), noInvalidDate: true });
/** A period of a second to three years with moments in it, in order. */
const anyParts = fc
  .record({
    start: anyStart,
    seconds: fc.integer({ min: 1, max: 95_000_000 }),
    at: fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
  })
  .map(({ start, seconds, at }) => {
    const period = { start, end: new Date(start.getTime() + seconds * 1_000) };
    const moments = at.map((part) => new Date(start.getTime() + Math.floor(part * seconds * 1_000)));
    return { period, moments: moments.sort((a, b) => a.getTime() - b.getTime()) };
  });

test("a change from 10 to 20 at half time gives 5 back and charges 10", () => {
  const changeTime = new Date("2026-06-16Z");
  const change = prorateChange({ oldAmountMinor: 1_000n, newAmountMinor: 2_000n, changeTime, period: june });
  expect(change).toEqual({ creditMinor: -500n, chargeMinor: 1_000n });
});

test("proration counts seconds, not days, and cuts off what is less", () => {
  const period = { start: new Date("2026-06-01T00:00:00.900Z"), end: new Date("2026-06-01T01:00:00.100Z") };
  const to = period.end;
  expect(prorate({ amountMinor: 3_600n, from: new Date("2026-06-01T00:00:01Z"), to, period })).toBe(3_599n);
  expect(prorate({ amountMinor: 3_600n, from: new Date("2026-06-01T00:00:01.999Z"), to, period })).toBe(3_599n);
});

test("the unused part of an amount is rounded half away from zero, for charges and credits", () => {
  const from = new Date("2026-06-16Z");
  expect(prorate({ amountMinor: 999n, from, to: june.end, period: june })).toBe(500n);
  expect(prorate({ amountMinor: -999n, from, to: june.end, period: june })).toBe(-500n);
  expect(prorate({ amountMinor: 999n, from: june.start, to: from, period: june })).toBe(499n);
});

test("a change at the start exchanges all, and at the end nothing", () => {
  const amounts = { oldAmountMinor: 700n, newAmountMinor: 900n, period: june };
  expect(prorateChange({ ...amounts, changeTime: june.start })).toEqual({ creditMinor: -700n, chargeMinor: 900n });
  expect(prorateChange({ ...amounts, changeTime: june.end })).toEqual({ creditMinor: 0n, chargeMinor: 0n });
});

test("the parts of a period sum to its amount, however it is cut", () => {
  fc.assert(
    fc.property(anyAmount, anyParts, (amountMinor, { period, moments }) => {
      const bounds = [period.start, ...moments, period.end];
      const parts = moments.map((to, index) => prorate({ amountMinor, from: bounds[index] ?? to, to, period }));
      const last = prorate({ amountMinor, from: bounds.at(-2) ?? period.start, to: period.end, period });
      expect(sum([...parts, last])).toBe(amountMinor);
    }),
  );
});

test("no part is a whole unit away from its exact share, and a credit is its charge negated", () => {
  fc.assert(
    fc.property(anyAmount, anyParts, (amountMinor, { period, moments }) => {
      const [from = period.start, to = period.end] = [moments[0], moments.at(-1)];
      const part = prorate({ amountMinor, from, to, period });
      const seconds = secondsOf(from, to);
      const off = part * secondsOf(period.start, period.end) - amountMinor * seconds;
      expect(off < secondsOf(period.start, period.end) && -off < secondsOf(period.start, period.end)).toBe(true);
      expect(prorate({ amountMinor: -amountMinor, from, to, period })).toBe(-part);
    }),
  );
});

test("after any changes a period costs what its parts cost at the amount of their time", () => {
  fc.assert(
    fc.property(anyParts, fc.infiniteStream(anyAmount), ({ period, moments }, amounts) => {
      const [first, ...following] = [period.start, ...moments].map((from) => ({ from, amountMinor: next(amounts) }));
      let billedMinor = first?.amountMinor ?? 0n;
      let costMinor = 0n;
      let current = first;
      for (const change of following) {
        const [oldAmountMinor, newAmountMinor] = [current?.amountMinor ?? 0n, change.amountMinor];
        const items = prorateChange({ oldAmountMinor, newAmountMinor, changeTime: change.from, period });
        billedMinor += items.creditMinor + items.chargeMinor;
        costMinor += prorate({
          amountMinor: oldAmountMinor,
          from: current?.from ?? period.start,
          to: change.from,
          period,
        });
        current = change;
      }
      costMinor += prorate({
        amountMinor: current?.amountMinor ?? 0n,
        from: current?.from ?? period.start,
        to: period.end,
        period,
      });
      expect(billedMinor).toBe(costMinor);
    }),
  );
});

test("a change to the same amount costs nothing", () => {
  fc.assert(
    fc.property(anyAmount, anyParts, (amountMinor, { period, moments }) => {
      const changeTime = moments[0] ?? period.start;
      const change = prorateChange({ oldAmountMinor: amountMinor, newAmountMinor: amountMinor, changeTime, period });
      expect(change.creditMinor + change.chargeMinor).toBe(0n);
    }),
  );
});

test("a part that is not in its period is a bug, and so is a period of no time", () => {
  const [early, late] = [new Date("2026-05-31T23:59:59.999Z"), new Date("2026-07-01T00:00:00.001Z")];
  const amountMinor = 100n;
  expect(() => prorate({ amountMinor, from: early, to: june.end, period: june })).toThrow("outside of its period");
  expect(() => prorate({ amountMinor, from: june.start, to: late, period: june })).toThrow("outside of its period");
  expect(() => prorate({ amountMinor, from: june.end, to: june.start, period: june })).toThrow("ends before it starts");
  const empty = { start: june.start, end: june.start };
  expect(() => prorate({ amountMinor, from: june.start, to: june.start, period: empty })).toThrow(
    "shorter than a second",
  );
});

function secondsOf(from: Date, to: Date): bigint {
  return BigInt(Math.floor(to.getTime() / 1_000) - Math.floor(from.getTime() / 1_000));
}

function next(amounts: fc.Stream<bigint>): bigint {
  return amounts.next().value ?? 0n;
}
