import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_FEE_SCHEDULE, feeOf } from "./fee.ts";

const amounts = fc.bigInt({ min: 1n, max: 9_007_199_254_740_991n });
const schedules = fc.record({
  basisPoints: fc.bigInt({ min: 0n, max: 10_000n }),
  fixedMinor: fc.bigInt({ min: 0n, max: 1_000n }),
});

test("the default fee is 2.9 % and 30 minor units, rounded half up", () => {
  const fees = [2_000n, 1_000n, 50n, 10_017n, 10_034n, 10_050n].map((amount) => feeOf(amount, DEFAULT_FEE_SCHEDULE));
  // 290.493 rounds down, 290.986 up, and the half of 291.45 is none; 31.45 is 31.
  expect(fees).toEqual([88n, 59n, 31n, 320n, 321n, 321n]);
  expect(feeOf(50n, { basisPoints: 100n, fixedMinor: 0n })).toBe(1n);
  expect(feeOf(49n, { basisPoints: 100n, fixedMinor: 0n })).toBe(0n);
});

test("a fee is never below nothing nor above the amount", () => {
  fc.assert(
    fc.property(amounts, schedules, (amount, schedule) => {
      const fee = feeOf(amount, schedule);
      expect(fee >= 0n && fee <= amount).toBe(true);
    }),
  );
});

test("a fee never falls when the amount grows", () => {
  fc.assert(
    fc.property(amounts, amounts, schedules, (one, other, schedule) => {
      const [less, more] = one < other ? [one, other] : [other, one];
      expect(feeOf(less, schedule) <= feeOf(more, schedule)).toBe(true);
    }),
  );
});

test("a fee is within half a minor unit of the exact share", () => {
  fc.assert(
    fc.property(amounts, schedules, (amount, { basisPoints, fixedMinor }) => {
      const fee = feeOf(amount, { basisPoints, fixedMinor });
      fc.pre(fee < amount);
      const off = (fee - fixedMinor) * 10_000n - amount * basisPoints;
      expect(off > -5_000n && off <= 5_000n).toBe(true);
    }),
  );
});
