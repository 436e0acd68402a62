import fc from "fast-check";
import { expect, test } from "vitest";
import { isLuhnValid } from "../_runtime/card-number.ts";
import { brandOf, maskNumber, readCard, type TypedCard } from "./card.ts";

const TODAY = new Date("2030-06-15T12:00:00Z");

function setup(change: Partial<TypedCard> = {}) {
  return readCard({ number: "4242424242424242", expMonth: 6, expYear: 2030, cvc: "314", ...change }, TODAY);
}

function problem(change: Partial<TypedCard>): string {
  const reading = setup(change);
  return reading.isCard ? "none" : reading.problem;
}

test("readCard takes a good card, also with spaces, dashes and a year of two digits", () => {
  const reading = setup({ number: "4242 4242-4242 4242", expYear: 31 });
  expect(reading.isCard && reading.card.number.reveal()).toBe("4242424242424242");
  expect(reading.isCard && reading.card.expYear).toBe(2031);
  expect(reading.isCard && reading.cvc?.reveal()).toBe("314");
});

test("readCard gives no CVC when none was typed", () => {
  const reading = setup({ cvc: "" });
  expect(reading.isCard && reading.cvc).toBe(undefined);
});

test("readCard refuses a number that is wrong, short, long, not digits, or too short for its brand", () => {
  for (const number of ["4242424242424241", "42", "", "42424242424242424242", "424242424242424x", "42424242424242"]) {
    expect(problem({ number }), number).toBe("INCORRECT_NUMBER");
  }
});

test("readCard refuses months and years that are none, past or too far ahead", () => {
  expect([0, 13, -1, 1.5, 5].map((expMonth) => problem({ expMonth }))).toEqual(Array(5).fill("INVALID_EXPIRY_MONTH"));
  expect([2029, 29, 1995, 2081, -5, 100].map((expYear) => problem({ expYear }))).toEqual(
    Array(6).fill("INVALID_EXPIRY_YEAR"),
  );
  expect(problem({ expMonth: 6, expYear: 2030 })).toBe("none");
});

test("readCard refuses a CVC of the wrong length or with other than digits", () => {
  for (const cvc of ["31", "3141", "3x4", "31415"]) expect(problem({ cvc })).toBe("INVALID_CVC");
  expect(problem({ number: "378282246310005", cvc: "3141" })).toBe("none");
  expect(problem({ number: "378282246310005", cvc: "314" })).toBe("INVALID_CVC");
});

test("brandOf knows the well-known test numbers", () => {
  const brands = {
    "4242424242424242": "visa",
    "5555555555554444": "mastercard",
    "2223003122003222": "mastercard",
    "378282246310005": "amex",
    "6011111111111117": "discover",
    "3056930009020004": "diners",
    "36227206271667": "diners",
    "3566002020360505": "jcb",
    "6200000000000005": "unionpay",
    "9999999999999995": "unknown",
  };
  for (const [number, brand] of Object.entries(brands)) expect(brandOf(number), number).toBe(brand);
});

test("one changed digit always breaks the Luhn check", () => {
  const position = fc.nat(15);
  fc.assert(
    fc.property(position, fc.integer({ min: 1, max: 9 }), (at, add) => {
      const digits = [..."4242424242424242"];
      digits[at] = String((Number(digits[at]) + add) % 10);
      expect(isLuhnValid(digits.join(""))).toBe(false);
    }),
  );
});

test("maskNumber shows the first six and the last four digits only", () => {
  expect(maskNumber("4242424242424242")).toBe("424242******4242");
  expect(maskNumber("378282246310005")).toBe("378282*****0005");
});
