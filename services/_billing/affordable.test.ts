import { expect, test } from "vitest";
import { affordable } from "./affordable.ts";

const taken = (amountsMinor: bigint[], besideMinor: bigint) =>
  affordable(
    amountsMinor.map((amountMinor) => ({ amountMinor })),
    besideMinor,
  ).map(({ amountMinor }) => amountMinor);

test("charges are all taken, and credits up to the sum", () => {
  expect(taken([-300n, 200n, -100n], 100n)).toEqual([-300n, 200n]);
  expect(taken([-300n, -100n], 1_000n)).toEqual([-300n, -100n]);
  expect(taken([], 0n)).toEqual([]);
});

test("a credit that is too large waits, and a smaller one after it does not", () => {
  expect(taken([-5_000n, -100n], 1_000n)).toEqual([-100n]);
  expect(taken([-1n], 0n)).toEqual([]);
});
