import { bracketed } from "./tree.ts";

interface Level {
  /** Where the object or list stands, as Stripe writes it. */
  readonly path: string;
  /** The keys so far; undefined in a list. */
  readonly keys: Set<string> | undefined;
  /** The name or place of the value that comes next. */
  name: string | number;
}

/**
 * Finds a key that one object of a JSON text has twice, as a path such as `metadata[order]`; undefined when there is none.
 * JSON.parse takes the last of them in silence. The text must be valid JSON.
 */
export function findRepeatedKey(text: string): string | undefined {
  const levels: Level[] = [];
  // Strings whole, so that what looks like structure inside them is skipped; a key is a string before a colon.
  for (const [token, string] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\],]/g)) {
    const level = levels.at(-1);
    if (string !== undefined) {
      const key: string = JSON.parse(string);
      if (level?.keys?.has(key)) return bracketed(level.path, key);
      level?.keys?.add(key);
      if (level !== undefined) level.name = key;
    } else if (token === "{" || token === "[") {
      const path = level === undefined ? "" : bracketed(level.path, level.name);
      levels.push({ path, keys: token === "{" ? new Set() : undefined, name: 0 });
    } else if (token === "}" || token === "]") {
      levels.pop();
    } else if (token === "," && typeof level?.name === "number") {
      level.name += 1;
    }
  }
  return undefined;
}
