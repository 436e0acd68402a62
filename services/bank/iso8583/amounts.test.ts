import fc from "fast-check";
import { expect, test } from "vitest";
import { currencies } from "../../_runtime/currency.ts";
import { fromIsoAmount, toIsoAmount } from "./amounts.ts";

test("toIsoAmount writes twelve digits and the number of the currency", () => {
  expect(toIsoAmount({ amountMinor: 2_000n, currencyCode: "USD" })).toEqual({
    amount: "000000002000",
    currencyNumber: "840",
  });
});

test("toIsoAmount turns the three currencies in which Tripe and ISO 4217 differ", () => {
  const amounts = ["ISK", "UGX", "MGA"].map(
    (currencyCode) => toIsoAmount({ amountMinor: 1_500n, currencyCode })?.amount,
  );
  expect(amounts).toEqual(["000000000015", "000000000015", "000000150000"]);
});

test("toIsoAmount says nothing rather than something wrong", () => {
  expect(toIsoAmount({ amountMinor: 1_550n, currencyCode: "ISK" })).toBe(undefined);
  expect(toIsoAmount({ amountMinor: 10n ** 12n, currencyCode: "USD" })).toBe(undefined);
  expect(toIsoAmount({ amountMinor: -1n, currencyCode: "USD" })).toBe(undefined);
  expect(toIsoAmount({ amountMinor: 1n, currencyCode: "ZZZ" })).toBe(undefined);
});

test("every amount that can be written reads back as it was, in every currency", () => {
  const amounts = fc.record({
    amountMinor: fc.bigInt({ min: 0n, max: 10n ** 12n }),
    currencyCode: fc.constantFrom(...currencies.map((currency) => currency.code)),
  });
  fc.assert(
    fc.property(amounts, (amount) => {
      const written = toIsoAmount(amount);
      if (written !== undefined) expect(fromIsoAmount(written)).toEqual(amount);
    }),
  );
});
