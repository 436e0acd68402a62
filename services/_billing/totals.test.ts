import { Code } from "@connectrpc/connect";
import fc from "fast-check";
import { expect, test } from "vitest";
import { refusalOf } from "../_runtime/errors.ts";
import { AMOUNT_MAX_MINOR } from "../_runtime/money.ts";
import { sum } from "./amount.ts";
import { basisPoints, percent } from "./ratio.ts";
import type { TaxTerms } from "./taxes.ts";
import { type DiscountTerms, type LineTerms, lineAmount, totalsOf } from "./totals.ts";

// A thousandth of the greatest amount: a hundred lines with every tax on top stay below it.
const anyAmount = fc.bigInt(-(2n ** 43n), 2n ** 43n);
const anyRatio = fc.bigInt(0n, 10_000n).map(basisPoints);
const anyLine: fc.Arbitrary<LineTerms> = fc.record(
  { amountMinor: anyAmount, isDiscountable: fc.boolean() },
  { requiredKeys: ["amountMinor"] },
);
const anyDiscount: fc.Arbitrary<DiscountTerms> = fc.oneof(
  fc.record({ amountOffMinor: fc.bigInt(0n, 2n ** 43n) }),
  fc.record({ ratioOff: anyRatio }),
);
const anyTax: fc.Arbitrary<TaxTerms> = fc.record({ rate: anyRatio, isInclusive: fc.boolean() });
const anyInvoice = fc.record({
  lines: fc.array(anyLine, { maxLength: 20 }),
  discounts: fc.array(anyDiscount, { maxLength: 3 }),
  taxes: fc.array(anyTax, { maxLength: 3 }),
});

test("an invoice is its lines, less the discounts, and the tax on what is left", () => {
  const totals = totalsOf({
    lines: [{ amountMinor: 2_000n }, { amountMinor: 1_000n }],
    discounts: [{ amountOffMinor: 300n }, { ratioOff: percent("10") }],
    taxes: [{ rate: percent("19"), isInclusive: false }],
  });
  expect(totals).toEqual({
    subtotalMinor: 3_000n,
    discounts: [
      { amountMinor: 300n, lineAmountsMinor: [200n, 100n] },
      { amountMinor: 270n, lineAmountsMinor: [180n, 90n] },
    ],
    taxes: [{ isInclusive: false, taxableMinor: 2_430n, amountMinor: 462n, lineAmountsMinor: [308n, 154n] }],
    totalExcludingTaxMinor: 2_430n,
    totalMinor: 2_892n,
  });
});

test("an inclusive tax is in the total already, and an exclusive one is not put on it", () => {
  const lines = [{ amountMinor: 11_900n }];
  const inclusive = { rate: percent("19"), isInclusive: true };
  const exclusive = { rate: percent("10"), isInclusive: false };
  expect(totalsOf({ lines, taxes: [inclusive] })).toMatchObject({
    totalExcludingTaxMinor: 10_000n,
    totalMinor: 11_900n,
  });
  const both = totalsOf({ lines, taxes: [exclusive, inclusive] });
  expect(both.taxes.map(({ amountMinor }) => amountMinor)).toEqual([1_000n, 1_900n]);
  expect(both).toMatchObject({ totalExcludingTaxMinor: 10_000n, totalMinor: 12_900n });
});

test("two inclusive taxes share one net amount", () => {
  const taxes = ["5", "9.975"].map((rate) => ({ rate: percent(rate), isInclusive: true }));
  const totals = totalsOf({ lines: [{ amountMinor: 114_975n }], taxes });
  expect(totals.taxes.map(({ amountMinor }) => amountMinor)).toEqual([5_000n, 9_975n]);
  expect(totals.totalExcludingTaxMinor).toBe(100_000n);
});

test("tax is rounded once for the invoice, not line by line", () => {
  const lines = Array.from({ length: 10 }, () => ({ amountMinor: 5n }));
  const [tax] = totalsOf({ lines, taxes: [{ rate: percent("10"), isInclusive: false }] }).taxes;
  expect(tax).toMatchObject({ amountMinor: 5n, lineAmountsMinor: [1n, 1n, 1n, 1n, 1n, 0n, 0n, 0n, 0n, 0n] });
});

test("discounts leave credits and prorations alone, and end at zero", () => {
  const lines = [
    { amountMinor: 500n },
    { amountMinor: -200n, isDiscountable: true },
    { amountMinor: 900n, isDiscountable: false },
  ];
  const totals = totalsOf({ lines, discounts: [{ ratioOff: percent("50") }, { amountOffMinor: 9_999n }] });
  expect(totals.discounts).toEqual([
    { amountMinor: 250n, lineAmountsMinor: [250n, 0n, 0n] },
    { amountMinor: 250n, lineAmountsMinor: [250n, 0n, 0n] },
  ]);
  expect(totals.totalMinor).toBe(700n);
});

test("an invoice of nothing comes to nothing, and credits alone to less", () => {
  expect(totalsOf({ lines: [] })).toEqual({
    subtotalMinor: 0n,
    discounts: [],
    taxes: [],
    totalExcludingTaxMinor: 0n,
    totalMinor: 0n,
  });
  const taxes = [{ rate: percent("20"), isInclusive: false }];
  expect(totalsOf({ lines: [{ amountMinor: -1_000n }], taxes }).totalMinor).toBe(-1_200n);
});

test("the parts of every invoice sum up, over the lines and over the invoice", () => {
  fc.assert(
    fc.property(anyInvoice, (invoice) => {
      const totals = totalsOf(invoice);
      const taken = sum(totals.discounts.map(({ amountMinor }) => amountMinor));
      const onTop = sum(totals.taxes.filter(({ isInclusive }) => !isInclusive).map(({ amountMinor }) => amountMinor));
      const taxed = sum(totals.taxes.map(({ amountMinor }) => amountMinor));
      expect(totals.subtotalMinor).toBe(sum(invoice.lines.map(({ amountMinor }) => amountMinor)));
      expect(totals.totalMinor).toBe(totals.subtotalMinor - taken + onTop);
      expect(totals.totalMinor).toBe(totals.totalExcludingTaxMinor + taxed);
      for (const { amountMinor, lineAmountsMinor } of [...totals.discounts, ...totals.taxes]) {
        expect(sum(lineAmountsMinor)).toBe(amountMinor);
        expect(lineAmountsMinor.length).toBe(invoice.lines.length);
      }
    }),
  );
});

test("no line is discounted below zero, and none that must not be", () => {
  fc.assert(
    fc.property(anyInvoice, (invoice) => {
      const { discounts } = totalsOf(invoice);
      for (const [index, { amountMinor, isDiscountable = true }] of invoice.lines.entries()) {
        const taken = sum(discounts.map(({ lineAmountsMinor }) => lineAmountsMinor[index] ?? 0n));
        const most = isDiscountable && amountMinor > 0n ? amountMinor : 0n;
        expect(taken >= 0n && taken <= most).toBe(true);
      }
    }),
  );
});

test("a line is price times quantity, rounded once", () => {
  expect(lineAmount({ unitAmountMinor: 250n, quantity: 3n })).toBe(750n);
  expect(lineAmount({ unitAmountMinor: "0.05", quantity: 1_000n })).toBe(50n);
  expect(lineAmount({ unitAmountMinor: "0.5", quantity: 1n })).toBe(1n);
  expect(lineAmount({ unitAmountMinor: "-0.5", quantity: 1n })).toBe(-1n);
  expect(lineAmount({ unitAmountMinor: "0.000000000001", quantity: 10n ** 12n })).toBe(1n);
  expect(lineAmount({ unitAmountMinor: 250n, quantity: 0n })).toBe(0n);
  expect(() => lineAmount({ unitAmountMinor: "two", quantity: 1n })).toThrow("is no decimal");
});

test("amounts beyond 2^53 - 1 are refused with AMOUNT_OUT_OF_RANGE", () => {
  const most = { amountMinor: AMOUNT_MAX_MINOR };
  const refused: (() => unknown)[] = [
    () => lineAmount({ unitAmountMinor: AMOUNT_MAX_MINOR, quantity: 2n }),
    () => lineAmount({ unitAmountMinor: -AMOUNT_MAX_MINOR, quantity: 2n }),
    () => totalsOf({ lines: [{ amountMinor: AMOUNT_MAX_MINOR + 1n }] }),
    () => totalsOf({ lines: [most, { amountMinor: 1n }] }),
    () => totalsOf({ lines: [most], taxes: [{ rate: percent("1"), isInclusive: false }] }),
  ];
  for (const attempt of refused) expect(reasonOf(attempt)).toEqual([Code.InvalidArgument, "AMOUNT_OUT_OF_RANGE"]);
  expect(totalsOf({ lines: [most] }).totalMinor).toBe(AMOUNT_MAX_MINOR);
  expect(lineAmount({ unitAmountMinor: AMOUNT_MAX_MINOR - 1n, quantity: 1n })).toBe(AMOUNT_MAX_MINOR - 1n);
});

test("a discount or a tax below zero is a bug", () => {
  const lines = [{ amountMinor: 100n }];
  expect(() => totalsOf({ lines, discounts: [{ amountOffMinor: -1n }] })).toThrow("a discount below zero");
  expect(() => totalsOf({ lines, discounts: [{ ratioOff: basisPoints(-100n) }] })).toThrow("a discount below zero");
  expect(() => totalsOf({ lines, taxes: [{ rate: basisPoints(-1n), isInclusive: true }] })).toThrow(
    "a tax rate below zero",
  );
});

function reasonOf(attempt: () => unknown): unknown {
  try {
    return attempt();
  } catch (error) {
    const refusal = refusalOf(error);
    return [refusal?.code, refusal?.reason];
  }
}
