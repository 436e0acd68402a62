import { PAGE_MAX_BYTES } from "../_runtime/limits.ts";
import type { Page } from "./page.ts";

/** A page of nouns, newest first, and where the next one begins; empty when there is none. */
export interface NounPage<Noun> {
  readonly nouns: Noun[];
  readonly nextPageToken: string;
}

/**
 * Ends a page early whose nouns would not fit into a message, at the side that is farther from its cursor; the next page
 * goes on there. One noun is left, whatever its size.
 */
export function fitPage<Noun>(page: Page, all: NounPage<Noun>, idOf: (noun: Noun, index: number) => string) {
  const { isBackward } = page;
  let left = PAGE_MAX_BYTES;
  const count = all.nouns.length;
  let kept = 0;
  while (kept < count) {
    left -= sizeOf(all.nouns[isBackward ? count - 1 - kept : kept]);
    if (left < 0 && kept > 0) break;
    kept += 1;
  }
  if (kept === count) return all;
  const first = isBackward ? count - kept : 0;
  const nouns = all.nouns.slice(first, first + kept);
  const edge = isBackward ? first : kept - 1;
  return { nouns, nextPageToken: idOf(nouns[edge - first] as Noun, edge) };
}

/** Numbers, times and the marks between fields: some bytes each. */
const FIELD_BYTES = 8;

/** About how many bytes a value has in a message, names of fields as a map's keys among them: rather too many than too few. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return FIELD_BYTES + Buffer.byteLength(value);
  if (value instanceof Uint8Array) return FIELD_BYTES + value.length;
  if (typeof value !== "object" || value === null) return FIELD_BYTES;
  return Object.entries(value).reduce((sum, [key, part]) => sum + key.length + sizeOf(part), FIELD_BYTES);
}
