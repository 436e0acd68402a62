import type { OperationKind } from "../iso8583/dialect.ts";

/** What the bank was asked to do, in the words of its messages. */
export interface Operation {
  readonly kind: OperationKind;
  readonly bankRef: string;
  /** The bank reference of what this captures, reverses or refunds; empty when there is none. */
  readonly originalBankRef: string;
  /** Twelve digits, element 4. */
  readonly amount: string;
  /** Three digits, element 49. */
  readonly currencyNumber: string;
  readonly number: string;
  /** YYMM. */
  readonly expiry: string;
  /** What later messages name this by in element 90: type, trace number and time; absent in journals from before it was kept. */
  readonly message?: string;
  /** What its own element 90 says of the original so; absent when it says nothing, or only zeros. */
  readonly originalMessage?: string;
  /** What it says the original was approved with (element 38); absent when it does not say. */
  readonly originalCode?: string;
}

/** One line of the bank's journal: an operation it has answered, for good. The card number is masked; the rest is as it was asked. */
export interface Entry extends Omit<Operation, "number"> {
  /** When, ISO 8601 in UTC with milliseconds. */
  readonly time: string;
  /** First six and last four digits. */
  readonly card: string;
  /** What was answered, element 39. 00 had an effect; anything else had none, or, with 09, none yet. */
  readonly responseCode: string;
  /** What it will be answered once it is over; only with 09. A later entry of the same reference is that end. */
  readonly endCode?: string;
  /** Element 38; empty when it was declined. */
  readonly authorizationCode: string;
}

/** The response code of what was done. */
export const DONE_CODE = "00";

/** The response code of what is in progress. */
export const PENDING_CODE = "09";

/** Writes an entry as one line of text. */
export function writeEntry(entry: Entry): string {
  return JSON.stringify(entry);
}

/** Reads a line that `writeEntry` wrote. Throws when it is none. */
export function readEntry(text: string): Entry {
  const value: unknown = JSON.parse(text);
  if (!isEntry(value)) throw new Error("A line of the bank's journal is no entry");
  return value;
}

const TEXT_KEYS = [
  "time",
  "kind",
  "bankRef",
  "originalBankRef",
  "amount",
  "currencyNumber",
  "card",
  "expiry",
  "responseCode",
  "authorizationCode",
] as const satisfies (keyof Entry)[];

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  return TEXT_KEYS.every((key) => typeof Reflect.get(value, key) === "string");
}
