import { crc32 } from "node:zlib";
import type { Clock } from "../../_runtime/clock.ts";
import { maskNumber } from "../card.ts";
import { DONE_CODE, type Entry, type Operation, readEntry, writeEntry } from "./entry.ts";
import { openJournal } from "./journal.ts";
import { decide, type Verdict } from "./rules.ts";
import { createTallies } from "./tallies.ts";

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

/** How long a refund that ends later is in progress: a few seconds, so that who tries it out sees both states. */
const REFUND_MS = 3_000;

/** What a book needs. `refundMs` shortens, for tests, how long refunds are in progress that end later. */
export interface BookOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly refundMs?: number;
}

/** Opens the book in a file. Throws what `openJournal` throws. */
export async function openBook({ file, clock, refundMs = REFUND_MS }: BookOptions): Promise<Book> {
  // Two numbers per reference, about 130 bytes: a million references take some 130 MB, and the entries stay on disk.
  const offsets = new Map<string, number>();
  const tallies = createTallies();
  const journal = await openJournal(file, (text, offset) => {
    const entry = readEntry(text);
    offsets.set(entry.bankRef, offset);
    tallies.count(entry);
  });
  const running = new Map<string, Promise<StoredEntry>>();

  const keep = (bankRef: string, work: Promise<StoredEntry>): Promise<StoredEntry> => {
    const result = work.finally(() => running.delete(bankRef));
    running.set(bankRef, result);
    return result;
  };
  /** Up to its first wait all of it happens at once, so nobody comes between a judgement and its effect. */
  const write = async (entry: Entry): Promise<StoredEntry> => {
    tallies.count(entry);
    const { offset, durable } = journal.append(writeEntry(entry));
    offsets.set(entry.bankRef, offset);
    await durable;
    return store(entry, offset);
  };
  const locate = (bankRef: string): Promise<StoredEntry> | undefined => {
    const offset = offsets.get(bankRef);
    return running.get(bankRef) ?? (offset === undefined ? undefined : follow(bankRef, offset));
  };
  /** Reads an entry; what is over by now is ended first. Nothing ends unasked: an end is an effect, and is on disk before it is told. */
  const follow = async (bankRef: string, offset: number): Promise<StoredEntry> => {
    const entry = store(readEntry(await journal.read(offset)), offset);
    const isOver = entry.endCode !== undefined && clock.nowMs() >= Date.parse(entry.time) + refundMs;
    if (!isOver) return entry;
    // Somebody may have ended it while it was read.
    if (offsets.get(bankRef) !== offset) return (await locate(bankRef)) ?? entry;
    return keep(bankRef, write(endOf(entry, clock)));
  };
  const run = async (operation: Operation): Promise<StoredEntry> => {
    const { originalBankRef } = operation;
    const original = originalBankRef === "" ? undefined : await locate(originalBankRef);
    const circumstances = { original, tally: tallies.of(originalBankRef), nowMs: clock.nowMs() };
    return write(createEntry(operation, decide(operation, circumstances), clock));
  };
  return {
    submit: (operation) => locate(operation.bankRef) ?? keep(operation.bankRef, run(operation)),
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

function createEntry({ number, ...operation }: Operation, verdict: Verdict, clock: Clock): Entry {
  return {
    time: timeOf(clock),
    ...operation,
    card: maskNumber(number),
    ...verdict,
    authorizationCode: verdict.responseCode === DONE_CODE ? authorizationCodeOf(operation.bankRef) : "",
  };
}

/** The entry that ends one in progress. */
function endOf({ endCode = DONE_CODE, networkReference, ...entry }: StoredEntry, clock: Clock): Entry {
  const authorizationCode = endCode === DONE_CODE ? authorizationCodeOf(entry.bankRef) : "";
  return { ...entry, time: timeOf(clock), responseCode: endCode, authorizationCode };
}

function timeOf(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString();
}

/** Six digits that depend on the reference alone: real ones are as good as random, and these are the same in every run. */
function authorizationCodeOf(bankRef: string): string {
  return String(crc32(bankRef) % 1_000_000).padStart(6, "0");
}

/** The place in the file is the bank's own reference: unique, growing, and known without another field. */
function store(entry: Entry, offset: number): StoredEntry {
  return { ...entry, networkReference: String(offset).padStart(12, "0") };
}
