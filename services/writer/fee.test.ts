import fc from "fast-check";
import { expect, test } from "vitest";
import { findCurrency } from "../_runtime/currency.ts";
import { feeOf } from "./fee.ts";

const codes = ["USD", "JPY", "KWD", "ISK"] as const;
const amounts = fc.bigInt({ min: 1n, max: 9_007_199_254_740_991n });
const currencies = fc.constantFrom(...codes);
const schedules = fc.record({
  basisPoints: fc.bigInt({ min: 0n, max: 10_000n }),
  fixedMinor: fc.bigInt({ min: 0n, max: 1_000n }),
});
const published = { basisPoints: 290n, fixedMinor: 30n };

const usd = (amountMinor: bigint, schedule = published) => feeOf({ amountMinor, currencyCode: "USD" }, schedule);

test("a fee of 2.9 % and 30 minor units is rounded half up", () => {
  // 290.493 rounds down, 290.986 up, and the half of 291.45 is none; 31.45 is 31.
  expect([2_000n, 1_000n, 50n, 10_017n, 10_034n, 10_050n].map((amount) => usd(amount))).toEqual([
    88n,
    59n,
    31n,
    320n,
    321n,
    321n,
  ]);
  expect(usd(50n, { basisPoints: 100n, fixedMinor: 0n })).toBe(1n);
  expect(usd(49n, { basisPoints: 100n, fixedMinor: 0n })).toBe(0n);
});

test.each([
  // 29 yen and 0.30 of a yen; a fixed part of 0.50 is a yen.
  ["JPY", 1_000n, published, 29n],
  ["JPY", 1_000n, { basisPoints: 0n, fixedMinor: 50n }, 1n],
  // 0.290 and 0.300 dinars.
  ["KWD", 10_000n, published, 590n],
  // Whole krónur, written with two decimals: 29.30 krónur are 29.
  ["ISK", 100_000n, published, 2_900n],
  ["USD", 20n, published, 20n],
  ["USD", 1_000_000n, { basisPoints: 0n, fixedMinor: 0n }, 0n],
])("in %s a charge of %s costs what its decimals say", (currencyCode, amountMinor, schedule, fee) => {
  expect(feeOf({ amountMinor, currencyCode }, schedule)).toBe(fee);
});

test("a fee is never below nothing nor above the amount", () => {
  fc.assert(
    fc.property(amounts, currencies, schedules, (amountMinor, currencyCode, schedule) => {
      const fee = feeOf({ amountMinor, currencyCode }, schedule);
      expect(fee >= 0n && fee <= amountMinor).toBe(true);
    }),
  );
});

test("a fee never falls when the amount grows", () => {
  fc.assert(
    fc.property(amounts, amounts, currencies, schedules, (one, other, currencyCode, schedule) => {
      const [less, more] = one < other ? [one, other] : [other, one];
      const [lower, higher] = [less, more].map((amountMinor) => feeOf({ amountMinor, currencyCode }, schedule));
      expect((lower ?? 0n) <= (higher ?? 0n)).toBe(true);
    }),
  );
});

test("a fee is within half of the least amount of the exact share", () => {
  fc.assert(
    fc.property(amounts, currencies, schedules, (amountMinor, currencyCode, schedule) => {
      const fee = feeOf({ amountMinor, currencyCode }, schedule);
      fc.pre(fee < amountMinor);
      const { exponent = 2, stepMinor = 1n } = findCurrency(currencyCode) ?? {};
      // Times a million, so that both parts are whole.
      const exact = amountMinor * schedule.basisPoints * 100n + schedule.fixedMinor * 10n ** BigInt(exponent) * 10_000n;
      const off = fee * 1_000_000n - exact;
      expect(off > -500_000n * stepMinor && off <= 500_000n * stepMinor).toBe(true);
    }),
  );
});
