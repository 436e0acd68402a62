import fc from "fast-check";
import { expect, test } from "vitest";
import { GIVE_UP_MS, retryDelayMs } from "./ladder.ts";

const young = (tries: number) => ({ tries, ageMs: 0n });
const almostOne = () => 1 - Number.EPSILON / 2;

test("an attempt waits up to 1 s, 5 s, 30 s, 2 min, 10 min, then up to an hour", () => {
  const rungs = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000];
  expect(rungs.map((_, tries) => retryDelayMs(young(tries), () => 0.5))).toEqual(rungs.map((rung) => rung / 2));
  expect(retryDelayMs(young(6), () => 0.5)).toBe(1_800_000);
  expect(retryDelayMs(young(1_000_000), () => 0.5)).toBe(1_800_000);
});

test("the jitter is full: from nothing to below the rung, in whole milliseconds", () => {
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (tries, random) => {
      const delayMs = retryDelayMs(young(tries), () => random);
      expect(Number.isInteger(delayMs) && delayMs >= 0 && delayMs < 3_600_000).toBe(true);
    }),
  );
  expect(retryDelayMs(young(0), () => 0)).toBe(0);
  expect(retryDelayMs(young(0), almostOne)).toBe(999);
});

test("what is older than 72 hours is asked about once a day, whatever its tries", () => {
  const dayMs = 86_400_000;
  expect(GIVE_UP_MS).toBe(3 * dayMs);
  expect(retryDelayMs({ tries: 80, ageMs: 3n * BigInt(dayMs) - 1n }, () => 0.5)).toBe(1_800_000);
  expect(retryDelayMs({ tries: 80, ageMs: 3n * BigInt(dayMs) }, () => 0.5)).toBe(dayMs);
});
