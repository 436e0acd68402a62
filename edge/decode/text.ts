import { malformedBody } from "../parameter-problems.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads bytes as UTF-8; throws a Problem when they are something else, instead of guessing. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw malformedBody("it is not valid UTF-8", cause);
  }
}

/** Counts characters as the contracts do: by code point, not by UTF-16 unit. */
export function countCharacters(text: string, max: number): number {
  // No text has more code points than units, so most need no counting.
  if (text.length <= max) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Whether Postgres and protobuf can hold a text: no NUL, no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** Whether an object can have a text that a list is searched for: it is neither empty nor too long, and can be stored. */
export function isFindable(text: string | null, max: number): text is string {
  return text !== null && text !== "" && isStorable(text) && countCharacters(text, max) <= max;
}
