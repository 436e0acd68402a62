import fc from "fast-check";
import { expect, test } from "vitest";
import { allocate } from "./allocate.ts";
import { sum } from "./amount.ts";

// Sums of large numbers shrink by one at a time, 100,000 times. Without a failure the runs take a tenth of a second.
const SHRINK_MAX_MS = 5_000;

const anyTotal = fc.bigInt(-(2n ** 53n), 2n ** 53n);
const anyWeights = fc.array(fc.bigInt(0n, 2n ** 53n), { maxLength: 8 });
const anySignedWeights = fc.array(fc.bigInt(-(2n ** 53n), 2n ** 53n), { maxLength: 8 });

test("the largest remainders get what rounding left over, the first of equals before the next", () => {
  expect(allocate(100n, [1n, 1n, 1n])).toEqual([34n, 33n, 33n]);
  expect(allocate(-100n, [1n, 1n, 1n])).toEqual([-34n, -33n, -33n]);
  expect(allocate(10n, [1n, 6n, 3n])).toEqual([1n, 6n, 3n]);
  expect(allocate(5n, [0n, 45n, 55n])).toEqual([0n, 2n, 3n]);
  expect(allocate(10n, [100n, -50n])).toEqual([20n, -10n]);
  expect(allocate(10n, [-100n, 50n])).toEqual([20n, -10n]);
  expect(allocate(1n, [5n, -2n])).toEqual([2n, -1n]);
});

test("shares sum to the total, and none is a whole unit away from its exact share", () => {
  fc.assert(
    fc.property(anyTotal, fc.oneof(anyWeights, anySignedWeights), (totalMinor, weights) => {
      fc.pre(sum(weights) !== 0n);
      const shares = allocate(totalMinor, weights);
      expect(sum(shares)).toBe(totalMinor);
      const weightSum = sum(weights);
      const unit = weightSum < 0n ? -weightSum : weightSum;
      for (const [index, weight] of weights.entries()) {
        const off = (shares[index] ?? 0n) * weightSum - totalMinor * weight;
        expect(off < unit && off > -unit).toBe(true);
      }
    }),
    { interruptAfterTimeLimit: SHRINK_MAX_MS },
  );
});

test("a weight of zero has no share, and no share is more than a weight that the total comes from", () => {
  fc.assert(
    fc.property(anyWeights, fc.bigInt(0n, 2n ** 53n), (weights, any) => {
      fc.pre(sum(weights) > 0n);
      const shares = allocate(any % (sum(weights) + 1n), weights);
      for (const [index, weight] of weights.entries()) expect((shares[index] ?? -1n) <= weight).toBe(true);
    }),
  );
});

test("nothing is shared without weights, and something cannot be", () => {
  expect(allocate(0n, [])).toEqual([]);
  expect(allocate(0n, [5n, -5n, 0n])).toEqual([0n, 0n, 0n]);
  expect(() => allocate(1n, [])).toThrow("nothing can be a share");
  expect(() => allocate(-1n, [5n, -5n])).toThrow("nothing can be a share");
});
