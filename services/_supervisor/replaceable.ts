import { type ServiceName, serviceNames } from "../_runtime/topology.ts";

/** The processes that may be replaced while Tripe runs; the sandbox bank stands for another's system. */
export type ReplaceableName = ServiceName | "edge";

/** All of them, in the order in which they are replaced: callees before their callers. */
export const replaceableNames: readonly ReplaceableName[] = [...serviceNames, "edge"];

/** Reads what a person asks to be replaced: no words are all. Throws for a word that names none. */
export function readReplaceable(words: readonly string[]): readonly ReplaceableName[] {
  if (words.length === 0) return replaceableNames;
  return words.map((word) => {
    const name = replaceableNames.find((one) => one === word);
    if (name === undefined) throw new Error(`name one of ${replaceableNames.join(", ")}, not "${word}"`);
    return name;
  });
}
