import { expect, test } from "vitest";
import { currencies, findCurrency } from "./currency.ts";

test("the table holds each currency once, in order, with a number of its own", () => {
  const codes = currencies.map((currency) => currency.code);
  expect(codes).toEqual([...new Set(codes)].sort());
  expect(new Set(currencies.map((currency) => currency.number)).size).toBe(codes.length);
  expect(codes.length).toBeGreaterThanOrEqual(130);
});

test("a currency is found by its upper case code only", () => {
  expect(findCurrency("USD")).toEqual({ code: "USD", number: "840", exponent: 2, minimumMinor: 50n, stepMinor: 1n });
  expect(findCurrency("JPY")).toMatchObject({ number: "392", exponent: 0, minimumMinor: 50n });
  expect(findCurrency("KWD")).toMatchObject({ number: "414", exponent: 3, minimumMinor: 1_000n, stepMinor: 10n });
  expect(findCurrency("ISK")).toMatchObject({ exponent: 2, minimumMinor: 100n, stepMinor: 100n });
  expect(findCurrency("usd")).toBeUndefined();
  expect(findCurrency("constructor")).toBeUndefined();
});

test("exponents are those of CLDR's currencies, but where the table says why not", () => {
  // CLDR counts the digits people write, which for these differs from what cards are charged in.
  const written = new Set("AFN ALL COP CRC HUF IDR ISK LAK LBP MGA MMK PKR RSD SLE SOS STD TZS UGX UZS YER".split(" "));
  for (const { code, exponent } of currencies) {
    if (written.has(code)) continue;
    const format = new Intl.NumberFormat("en", { style: "currency", currency: code });
    expect([code, format.resolvedOptions().maximumFractionDigits]).toEqual([code, exponent]);
  }
});
