import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { assert } from "../_runtime/errors.ts";

/** A text, or null when it is empty: inside, empty means absent; on the wire null does. */
export function textOrNull(text: string): string | null {
  return text === "" ? null : text;
}

/** An amount in minor units as a JSON number. Stops at one that JSON would not carry unharmed (beyond ±(2^53 - 1)). */
export function amountOf(minor: bigint): number {
  const amount = Number(minor);
  assert(Number.isSafeInteger(amount), `an amount on the wire is within 2^53 - 1, not ${minor}`);
  return amount;
}

/** A currency code as the public API writes it: lower case. */
export function currencyOf(code: string): string {
  assert(/^[A-Z]{3}$/.test(code), `a currency is three capitals, not "${code}"`);
  return code.toLowerCase();
}

/** A moment in whole unix seconds, rounded down, or null when it has not come. */
export function secondsOrNull(time: Timestamp | undefined): number | null {
  return time === undefined ? null : amountOf(time.seconds);
}

/** A moment that must be known, in whole unix seconds, rounded down. */
export function secondsOf(time: Timestamp | undefined): number {
  assert(time !== undefined, "a moment that is always shown is known");
  return amountOf(time.seconds);
}

/** Metadata with its keys sorted by UTF-16 code unit, so that the order in which it was stored does not show. */
export function metadataOf(metadata: Readonly<Record<string, string>>): Record<string, string> {
  // fromEntries defines keys and never runs a setter: a key called "__proto__" stays a key.
  return Object.fromEntries(Object.entries(metadata).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** The public word for an enum's value. Stops at a value without a word: unspecified, or newer than this code. */
export function wordOf<Word extends string>(words: Readonly<Record<number, Word>>, value: number): Word {
  const word = words[value];
  assert(word !== undefined, `the public API has no word for the value ${value}`);
  return word;
}
