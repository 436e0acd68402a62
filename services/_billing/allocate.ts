import { assert } from "../_runtime/errors.ts";
import { sum } from "./amount.ts";

/**
 * Splits a total by weights so that the shares sum to it exactly: each is the exact share, rounded down or up to a whole
 * minor unit, and those with the largest remainders are rounded up, the first of equals before the next (the method of
 * Hamilton). A negative total gives the shares of the positive one, negated. Weights may be negative, such as lines with
 * credits among them, but must not sum to zero, unless the total is zero: then so is every share.
 */
export function allocate(totalMinor: bigint, weights: readonly bigint[]): bigint[] {
  if (totalMinor === 0n) return weights.map(() => 0n);
  if (totalMinor < 0n) return allocate(-totalMinor, weights).map((shareMinor) => -shareMinor);
  const weightSum = sum(weights);
  assert(weightSum !== 0n, "weights of which nothing can be a share");
  return weightSum > 0n ? split(totalMinor, weights, weightSum) : split(totalMinor, weights.map(negate), -weightSum);
}

function split(totalMinor: bigint, weights: readonly bigint[], weightSum: bigint): bigint[] {
  const exact = weights.map((weight) => divideDown(totalMinor * weight, weightSum));
  const left = Number(totalMinor - sum(exact.map(({ quotient }) => quotient)));
  const byRemainder = exact.map(({ remainder }, index) => ({ remainder, index }));
  byRemainder.sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  const raised = new Set(byRemainder.slice(0, left).map(({ index }) => index));
  return exact.map(({ quotient }, index) => (raised.has(index) ? quotient + 1n : quotient));
}

function divideDown(dividend: bigint, divisor: bigint): { quotient: bigint; remainder: bigint } {
  const remainder = ((dividend % divisor) + divisor) % divisor;
  return { quotient: (dividend - remainder) / divisor, remainder };
}

function negate(amount: bigint): bigint {
  return -amount;
}
