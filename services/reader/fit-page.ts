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
  if (all.nouns.reduce((sum, noun) => sum + sizeMaxOf(noun), 0) <= PAGE_MAX_BYTES) return all;
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

// No UTF-16 unit takes more bytes of UTF-8.
const UNIT_BYTES_MAX = 3;

/** As `sizeOf` or more, from lengths alone: nearly every page fits by this already, at a fifth of the time. */
function sizeMaxOf(value: unknown): number {
  if (typeof value === "string") return FIELD_BYTES + value.length * UNIT_BYTES_MAX;
  if (value instanceof Uint8Array) return FIELD_BYTES + value.length;
  if (typeof value !== "object" || value === null) return FIELD_BYTES;
  let size = FIELD_BYTES;
  for (const key in value) size += key.length + sizeMaxOf((value as Record<string, unknown>)[key]);
  return size;
}

/** About how many bytes a value has in a message, names of fields as a map's keys among them: rather too many than too few. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return FIELD_BYTES + Buffer.byteLength(value);
  if (value instanceof Uint8Array) return FIELD_BYTES + value.length;
  if (typeof value !== "object" || value === null) return FIELD_BYTES;
  return Object.entries(value).reduce((sum, [key, part]) => sum + key.length + sizeOf(part), FIELD_BYTES);
}
