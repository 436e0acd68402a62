import fc from "fast-check";
import { expect, test } from "vitest";
import { retryDelayMs } from "./ladder.ts";

const almostOne = () => 1 - Number.EPSILON / 2;

test("an attempt waits up to 1 s, 5 s, 30 s, 2 min, 10 min, then up to an hour", () => {
  const rungs = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000];
  expect(rungs.map((_, tries) => retryDelayMs(tries, () => 0.5))).toEqual(rungs.map((rung) => rung / 2));
  expect(retryDelayMs(6, () => 0.5)).toBe(1_800_000);
  expect(retryDelayMs(1_000_000, () => 0.5)).toBe(1_800_000);
});

test("the jitter is full: from nothing to below the rung, in whole milliseconds", () => {
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (tries, random) => {
      const delayMs = retryDelayMs(tries, () => random);
      expect(Number.isInteger(delayMs) && delayMs >= 0 && delayMs < 3_600_000).toBe(true);
    }),
  );
  expect(retryDelayMs(0, () => 0)).toBe(0);
  expect(retryDelayMs(0, almostOne)).toBe(999);
});
