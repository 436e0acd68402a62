import type { Exercise } from "./exercises.ts";

/** Says why a part of the soak cannot run at a size; undefined when it can. */
export function refuseSize(
  part: string,
  size: number,
  { sizeMin = 1, sizeMax = Number.MAX_SAFE_INTEGER }: Pick<Exercise, "sizeMax" | "sizeMin">,
): string | undefined {
  if (Number.isSafeInteger(size) && size >= sizeMin && size <= sizeMax) return undefined;
  const most = sizeMax === Number.MAX_SAFE_INTEGER ? "" : ` and at most ${sizeMax}`;
  return `${part} takes a whole number as its size, at least ${sizeMin}${most}`;
}
