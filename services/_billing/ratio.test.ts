import fc from "fast-check";
import { expect, test } from "vitest";
import { basisPoints, decimal, divideHalfUp, percent, share } from "./ratio.ts";

test("a half rounds away from zero, on both sides", () => {
  const halves: [bigint, bigint][] = [
    [1n, 1n],
    [-1n, -1n],
    [3n, 2n],
    [-3n, -2n],
    [5n, 3n],
    [-5n, -3n],
  ];
  for (const [dividend, rounded] of halves) expect(divideHalfUp(dividend, 2n)).toBe(rounded);
  expect([divideHalfUp(4n, 3n), divideHalfUp(5n, 3n), divideHalfUp(-4n, 3n)]).toEqual([1n, 2n, -1n]);
  expect(() => divideHalfUp(1n, 0n)).toThrow("a divisor below 1");
});

test("rounding is never off by more than a half, and turns its sign with the amount", () => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 60n), 2n ** 60n), fc.bigInt(1n, 2n ** 40n), (dividend, divisor) => {
      const rounded = divideHalfUp(dividend, divisor);
      const off = 2n * (dividend - rounded * divisor);
      expect(off <= divisor && off >= -divisor).toBe(true);
      expect(divideHalfUp(-dividend, divisor)).toBe(-rounded);
    }),
  );
});

test("a decimal is read exactly, as it is written", () => {
  expect(decimal("12")).toEqual({ numerator: 12n, denominator: 1n });
  expect(decimal("-0.50")).toEqual({ numerator: -50n, denominator: 100n });
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 16n - 1n), fc.integer({ min: 1, max: 12 }), fc.nat(), (whole, places, any) => {
      const fraction = String(any).slice(0, places).padStart(places, "0");
      const { numerator, denominator } = decimal(`${whole}.${fraction}`);
      expect(numerator).toBe(whole * denominator + BigInt(fraction));
      expect(denominator).toBe(10n ** BigInt(places));
    }),
  );
});

test.each(["", ".5", "1.", "1e3", "+1", " 1", "1,5", "NaN", "0x1", "0.1234567890123", "12345678901234567"])(
  "%j is no decimal",
  (text) => {
    expect(() => decimal(text)).toThrow("is no decimal");
  },
);

test("percentages and basis points say the same", () => {
  expect(share(1_000n, percent("19.6"))).toBe(196n);
  expect(share(1_000n, basisPoints(1_960n))).toBe(196n);
  expect(share(333n, percent("33.33"))).toBe(111n);
  expect([share(77n, percent("0")), share(77n, percent("100"))]).toEqual([0n, 77n]);
  expect(() => percent("100.01")).toThrow("no percentage");
  expect(() => percent("-1")).toThrow("no percentage");
});
