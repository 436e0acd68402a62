import { expect, test } from "vitest";
import { refusalOf } from "./errors.ts";
import { AMOUNT_MAX_MINOR, formatMoney, money } from "./money.ts";

test("money is a whole positive amount of a known currency", () => {
  expect(money(2_000n, "USD")).toMatchObject({ amountMinor: 2_000n, currencyCode: "USD" });
  expect(money(AMOUNT_MAX_MINOR, "JPY").amountMinor).toBe(9_007_199_254_740_991n);
});

test.each([
  [0n, "USD", "AMOUNT_OUT_OF_RANGE"],
  [-1n, "USD", "AMOUNT_OUT_OF_RANGE"],
  [AMOUNT_MAX_MINOR + 1n, "USD", "AMOUNT_OUT_OF_RANGE"],
  [100n, "usd", "CURRENCY_UNKNOWN"],
  [100n, "ZZZ", "CURRENCY_UNKNOWN"],
])("money refuses %s %s with %s", (amount, code, reason) => {
  let caught: unknown;
  try {
    money(amount, code);
  } catch (error) {
    caught = error;
  }
  expect(refusalOf(caught)?.reason).toBe(reason);
});

test.each([
  [1_250n, "USD", "$12.50", "USD 12.50"],
  [1_250n, "JPY", "¥1,250", "JPY 1,250"],
  [1_250n, "KWD", "KWD 1.250", "KWD 1.250"],
  [1_250n, "ISK", "ISK 12.50", "ISK 12.50"],
  [5n, "EUR", "€0.05", "EUR 0.05"],
  [0n, "GBP", "£0.00", "GBP 0.00"],
  [9_007_199_254_740_991n, "USD", "$90,071,992,547,409.91", "USD 90,071,992,547,409.91"],
])("%s %s is written %s, or %s in plain letters", (amountMinor, currencyCode, symbol, plain) => {
  expect(formatMoney({ amountMinor, currencyCode })).toBe(symbol);
  expect(formatMoney({ amountMinor, currencyCode }, "code")).toBe(plain);
});
