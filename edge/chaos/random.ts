import { createRandom as createShares } from "../../services/bank/random.ts";

/** Chance that a seed repeats. */
export interface Random {
  /** From 0 up to 1. */
  next(): number;
  /** One of these. */
  pick<Value>(values: readonly [Value, ...Value[]]): Value;
  /** These, in another order. */
  shuffle<Value>(values: readonly Value[]): Value[];
}

/** Makes chance from a seed. */
export function createRandom(seed: number): Random {
  const next = createShares(seed);
  return {
    next,
    pick: ([first, ...rest]) => [first, ...rest][Math.floor(next() * (rest.length + 1))] ?? first,
    shuffle: (values) =>
      values
        .map((value) => ({ value, at: next() }))
        .sort((a, b) => a.at - b.at)
        .map(({ value }) => value),
  };
}
