import type { Message } from "../iso8583/codec.ts";
import type { OriginalMessage } from "../iso8583/dialect.ts";

/** Remembers of recent requests what a reversal says of them. */
export interface Originals {
  /** Keeps a message that was sent under a reference; of several, the first, which is the original. */
  note(bankRef: string, sent: Message): void;
  /** Gives it back; undefined when it was sent before the start, or too long ago. */
  find(bankRef: string): OriginalMessage | undefined;
}

/** Reversals mostly follow within minutes: this many are about two minutes at a hundred requests a second, and a megabyte or two. */
const ORIGINALS_MAX = 10_000;

/** Makes an empty memory. */
export function createOriginals(): Originals {
  const kept = new Map<string, OriginalMessage>();
  return {
    note(bankRef, { type, fields }) {
      const { 7: time, 11: traceNumber } = fields;
      if (kept.has(bankRef) || time === undefined || traceNumber === undefined) return;
      kept.set(bankRef, { type, traceNumber, time });
      const [oldest] = kept.keys();
      if (kept.size > ORIGINALS_MAX && oldest !== undefined) kept.delete(oldest);
    },
    find: (bankRef) => kept.get(bankRef),
  };
}
