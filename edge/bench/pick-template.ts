import type { Template } from "./load-plan.ts";

/** Weights of a Zipf distribution (exponent 1) over so many items: the k-th is asked for 1/k times as often as the first. */
export function zipfWeights(count: number): number[] {
  return Array.from({ length: count }, (_, at) => 1 / (at + 1));
}

/** Makes a picker of templates by their weights: from a number in [0, 1) to the index of a template. */
export function createPicker(templates: readonly Pick<Template, "weight">[]): (chance: number) => number {
  let sum = 0;
  const ends = Float64Array.from(templates, ({ weight }) => {
    sum += weight;
    return sum;
  });
  return (chance) => {
    const target = chance * sum;
    let [low, high] = [0, ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) <= target) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
