import { expect, test } from "vitest";
import { affordable } from "./affordable.ts";

const taken = (amountsMinor: bigint[], besideMinor: bigint) =>
  affordable(
    amountsMinor.map((amountMinor) => ({ amountMinor })),
    besideMinor,
    { leastMinor: 50n, mostMinor: 10_000n },
  ).map(({ amountMinor }) => amountMinor);

test("charges are taken up to the most, and a smaller one after one that is too large", () => {
  expect(taken([9_001n, 9_000n, 1n, -1n], 1_000n)).toEqual([9_000n, -1n]);
});

test("a credit that would leave less than a charge may be waits, and one that leaves nothing does not", () => {
  expect(taken([-951n, -950n], 1_000n)).toEqual([-950n]);
  expect(taken([-1_000n], 1_000n)).toEqual([-1_000n]);
});

test("charges that are too small to be charged wait beside what is free", () => {
  expect(taken([30n, -10n], 0n)).toEqual([]);
  expect(taken([30n, 20n], 0n)).toEqual([30n, 20n]);
  expect(taken([30n], 100n)).toEqual([30n]);
});

test("charges are taken, and credits up to the sum", () => {
  expect(taken([-300n, 200n, -100n], 100n)).toEqual([-300n, 200n]);
  expect(taken([-300n, -100n], 1_000n)).toEqual([-300n, -100n]);
  expect(taken([], 0n)).toEqual([]);
});

test("a credit that is too large waits, and a smaller one after it does not", () => {
  expect(taken([-5_000n, -100n], 1_000n)).toEqual([-100n]);
  expect(taken([-1n], 0n)).toEqual([]);
});
