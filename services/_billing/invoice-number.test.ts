import fc from "fast-check";
import { expect, test } from "vitest";
import { invoiceNumber } from "./invoice-number.ts";

test("a number has four digits at least, and more when it takes them", () => {
  expect(invoiceNumber("ABC", 1)).toBe("ABC-0001");
  expect(invoiceNumber("4F9C01D2", 9_999)).toBe("4F9C01D2-9999");
  expect(invoiceNumber("ABC", 10_000)).toBe("ABC-10000");
});

test("no two places of a sequence have one number", () => {
  const anyPlace = fc.integer({ min: 1, max: 100_000 });
  fc.assert(
    fc.property(anyPlace, anyPlace, (a, b) => {
      expect(invoiceNumber("ABC", a) === invoiceNumber("ABC", b)).toBe(a === b);
    }),
  );
});

test.each(["", "AB", "abc", "ABC-1", "ABCDEFGHIJKLM"])("%j is no prefix", (prefix) => {
  expect(() => invoiceNumber(prefix, 1)).toThrow("is no prefix");
});

test.each([0, -1, 1.5, 2 ** 53])("%d is no place in a sequence", (sequence) => {
  expect(() => invoiceNumber("ABC", sequence)).toThrow("is no place in a sequence");
});
