import { crc32 } from "node:zlib";
import type { Clock } from "../../_runtime/clock.ts";
import { maskNumber } from "../card.ts";
import { DONE_CODE, type Entry, type Operation, readEntry, writeEntry } from "./entry.ts";
import { type Appended, type Journal, openJournal } from "./journal.ts";
import { type Circumstances, decide, type Tally, tallyWith, UNTOUCHED } from "./rules.ts";

/** An entry that is on disk, with the bank's own reference of it, twelve digits. */
export interface StoredEntry extends Entry {
  readonly networkReference: string;
}

/** What the bank has done, durably, once per bank reference. */
export interface Book {
  /**
   * Does an operation and resolves once it is on disk. A reference that has been used gives the entry of the first use and does nothing,
   * even when the operation is another one now: `isSameOperation` tells.
   */
  submit(operation: Operation): Promise<StoredEntry>;
  /** Finds what became of a bank reference, waiting for it when it is on its way; undefined when it was never used. */
  find(bankRef: string): Promise<StoredEntry | undefined>;
  close(): Promise<void>;
}

/** Opens the book in a file. Throws what `openJournal` throws. */
export async function openBook({ file, clock }: { file: string; clock: Clock }): Promise<Book> {
  // Two numbers per reference, about 130 bytes: a million references take some 130 MB, and the entries stay on disk.
  const offsets = new Map<string, number>();
  const tallies = new Map<string, Tally>();
  const journal = await openJournal(file, (text, offset) => {
    const entry = readEntry(text);
    offsets.set(entry.bankRef, offset);
    count(tallies, entry);
  });
  const running = new Map<string, Promise<StoredEntry>>();

  const locate = (bankRef: string): Promise<StoredEntry> | undefined => {
    const offset = offsets.get(bankRef);
    return running.get(bankRef) ?? (offset === undefined ? undefined : readStored(journal, offset));
  };
  const circumstances = async (operation: Operation): Promise<Circumstances> => {
    const original = operation.originalBankRef === "" ? undefined : await locate(operation.originalBankRef);
    return { original, tally: tallies.get(operation.originalBankRef) ?? UNTOUCHED };
  };
  const run = async (operation: Operation): Promise<StoredEntry> => {
    const circumstance = await circumstances(operation);
    // From here to the append nothing waits, so no other operation can come between the judgement and its effect.
    const entry = createEntry(operation, decide(operation, circumstance), clock);
    count(tallies, entry);
    const appended: Appended = journal.append(writeEntry(entry));
    offsets.set(entry.bankRef, appended.offset);
    await appended.durable;
    return store(entry, appended.offset);
  };
  const start = (operation: Operation): Promise<StoredEntry> => {
    const result = run(operation).finally(() => running.delete(operation.bankRef));
    running.set(operation.bankRef, result);
    return result;
  };
  return {
    submit: (operation) => locate(operation.bankRef) ?? start(operation),
    find: async (bankRef) => locate(bankRef),
    close: () => journal.close(),
  };
}

/** Says whether an entry is of this very operation: what was asked then is what is asked now. */
export function isSameOperation(entry: Entry, operation: Operation): boolean {
  return (
    entry.kind === operation.kind &&
    entry.originalBankRef === operation.originalBankRef &&
    entry.amount === operation.amount &&
    entry.currencyNumber === operation.currencyNumber &&
    entry.card === maskNumber(operation.number) &&
    entry.expiry === operation.expiry
  );
}

function createEntry({ number, ...operation }: Operation, responseCode: string, clock: Clock): Entry {
  return {
    time: new Date(clock.nowMs()).toISOString(),
    ...operation,
    card: maskNumber(number),
    responseCode,
    authorizationCode: responseCode === DONE_CODE ? authorizationCodeOf(operation.bankRef) : "",
  };
}

/** Six digits that depend on the reference alone: real ones are as good as random, and these are the same in every run. */
function authorizationCodeOf(bankRef: string): string {
  return String(crc32(bankRef) % 1_000_000).padStart(6, "0");
}

function count(tallies: Map<string, Tally>, entry: Entry): void {
  if (entry.responseCode !== DONE_CODE || entry.originalBankRef === "") return;
  tallies.set(entry.originalBankRef, tallyWith(tallies.get(entry.originalBankRef) ?? UNTOUCHED, entry));
}

async function readStored(journal: Journal, offset: number): Promise<StoredEntry> {
  return store(readEntry(await journal.read(offset)), offset);
}

/** The place in the file is the bank's own reference: unique, growing, and known without another field. */
function store(entry: Entry, offset: number): StoredEntry {
  return { ...entry, networkReference: String(offset).padStart(12, "0") };
}
