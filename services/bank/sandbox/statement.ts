import { join } from "node:path";
import { unreachable } from "../../_runtime/assert.ts";
import { fromIsoAmount } from "../iso8583/amounts.ts";
import { DONE_CODE, type Entry, readEntry } from "./entry.ts";
import { readJournal } from "./journal.ts";

/**
 * One effect on money that the bank really had. Declines, verifications and holds are not effects. `reversal` is a purchase taken back whole.
 * Purchases and captures pay the merchant; refunds and reversals take from the merchant.
 */
export interface StatementLine {
  /** When, ISO 8601 in UTC with milliseconds. */
  readonly time: string;
  readonly bankRef: string;
  /** The bank reference of what was captured, reversed or refunded; empty when there is none. */
  readonly originalBankRef: string;
  readonly kind: "purchase" | "capture" | "refund" | "reversal";
  /** Above zero, in Tripe's minor units. */
  readonly amountMinor: bigint;
  /** ISO 4217, upper case. */
  readonly currencyCode: string;
  /** First six and last four digits, the others as asterisks. */
  readonly card: string;
}

/** Where the sandbox bank of a Tripe keeps its file. */
export function statementFile(dataDir: string): string {
  return join(dataDir, "bank", "journal");
}

/** Says whether a text is a day as a statement has it: YYYY-MM-DD, and one that the calendar has. */
export function isDay(text: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/**
 * Reads the statement from the bank's own file (`statementFile`), in the order in which things happened, exactly one line per effect; with a
 * day (`isDay`, UTC), that day's lines. The bank may be running: what it has answered before the call is there. Throws when the file is missing.
 */
export async function* readStatement(file: string, day?: string): AsyncGenerator<StatementLine> {
  const purchases = new Set<string>();
  for await (const text of readJournal(file)) {
    const entry = readEntry(text);
    if (entry.responseCode !== DONE_CODE) continue;
    if (entry.kind === "purchase") purchases.add(entry.bankRef);
    const kind = effectOf(entry, purchases);
    if (kind !== undefined && entry.time.startsWith(day ?? "")) yield createLine(entry, kind);
  }
}

/** An authorization moves no money, and so neither does the reversal of one. */
function effectOf(entry: Entry, purchases: ReadonlySet<string>): StatementLine["kind"] | undefined {
  switch (entry.kind) {
    case "purchase":
    case "capture":
    case "refund":
      return entry.kind;
    case "reverse":
      return purchases.has(entry.originalBankRef) ? "reversal" : undefined;
    case "authorize":
      return undefined;
    default:
      return unreachable(entry.kind);
  }
}

function createLine(entry: Entry, kind: StatementLine["kind"]): StatementLine {
  const amount = fromIsoAmount(entry);
  if (amount === undefined) throw new Error(`The bank's entry ${entry.bankRef} has no amount we can read`);
  const { time, bankRef, originalBankRef, card } = entry;
  return { time, bankRef, originalBankRef, kind, ...amount, card };
}
