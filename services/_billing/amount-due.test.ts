import fc from "fast-check";
import { expect, test } from "vitest";
import { AMOUNT_MAX_MINOR } from "../_runtime/money.ts";
import { amountDueOf } from "./amount-due.ts";

const anyAmount = fc.bigInt(-(2n ** 51n), 2n ** 51n);

test.each([
  { name: "a total is due as it is", total: 1_000n, balance: 0n, due: 1_000n, ending: 0n },
  { name: "a credit reduces what is due", total: 1_000n, balance: -400n, due: 600n, ending: 0n },
  { name: "a credit is used as far as it goes", total: 1_000n, balance: -1_500n, due: 0n, ending: -500n },
  { name: "a debt is collected along", total: 1_000n, balance: 250n, due: 1_250n, ending: 0n },
  { name: "a total below zero becomes a credit", total: -700n, balance: 0n, due: 0n, ending: -700n },
  { name: "a total below zero pays a debt first", total: -700n, balance: 1_000n, due: 300n, ending: 0n },
  { name: "nothing owed is nothing due", total: 400n, balance: -400n, due: 0n, ending: 0n },
  { name: "less than a card can be charged becomes a debt", total: 49n, balance: 0n, due: 0n, ending: 49n },
  { name: "the least a card can be charged is due", total: 50n, balance: 0n, due: 50n, ending: 0n },
])("$name", ({ total, balance, due, ending }) => {
  const settled = amountDueOf({ totalMinor: total, customerBalanceMinor: balance, minimumMinor: 50n });
  expect(settled).toEqual({ amountDueMinor: due, endingBalanceMinor: ending });
});

test("without a minimum the smallest total is due", () => {
  expect(amountDueOf({ totalMinor: 1n, customerBalanceMinor: 0n }).amountDueMinor).toBe(1n);
});

test("no money comes or goes when a balance is settled", () => {
  fc.assert(
    fc.property(anyAmount, anyAmount, fc.bigInt(0n, 1_000n), (totalMinor, customerBalanceMinor, minimumMinor) => {
      const settled = amountDueOf({ totalMinor, customerBalanceMinor, minimumMinor });
      expect(settled.amountDueMinor + settled.endingBalanceMinor).toBe(totalMinor + customerBalanceMinor);
      expect(settled.amountDueMinor === 0n || settled.amountDueMinor >= minimumMinor).toBe(true);
      expect(settled.amountDueMinor >= 0n).toBe(true);
    }),
  );
});

test("more than 2^53 - 1 cannot be owed", () => {
  const terms = { totalMinor: AMOUNT_MAX_MINOR, customerBalanceMinor: 1n };
  expect(() => amountDueOf(terms)).toThrow("what the customer owes must not be beyond");
});
