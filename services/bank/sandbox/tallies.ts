import { unreachable } from "../../_runtime/assert.ts";
import { DONE_CODE, type Entry, PENDING_CODE } from "./entry.ts";

/** What has happened since to an authorization or a purchase, in the smallest unit of its currency. */
export interface Tally {
  readonly captured: number;
  /** What was returned, and what is being returned: it cannot be returned twice. */
  readonly returned: number;
  readonly isReversed: boolean;
}

/** What has happened since to everything. */
export interface Tallies {
  /** Takes the next entry of the journal. */
  count(entry: Entry): void;
  /** What has happened to a bank reference. */
  of(bankRef: string): Tally;
}

const UNTOUCHED: Tally = { captured: 0, returned: 0, isReversed: false };

/** Makes tallies of an empty journal. */
export function createTallies(): Tallies {
  const tallies = new Map<string, Tally>();
  const pending = new Set<string>();
  const of = (bankRef: string) => tallies.get(bankRef) ?? UNTOUCHED;
  return {
    of,
    count(entry) {
      const { bankRef, originalBankRef, responseCode } = entry;
      const isEnd = pending.delete(bankRef);
      if (responseCode === PENDING_CODE) pending.add(bankRef);
      const isCounted = responseCode === DONE_CODE || responseCode === PENDING_CODE;
      // What was in progress is counted already; when it fails it is counted off again.
      if (originalBankRef === "" || isEnd === isCounted) return;
      tallies.set(originalBankRef, tallyWith(of(originalBankRef), entry, isEnd ? -1 : 1));
    },
  };
}

function tallyWith(tally: Tally, entry: Entry, sign: 1 | -1): Tally {
  const amount = sign * Number(entry.amount);
  switch (entry.kind) {
    case "capture":
      return { ...tally, captured: tally.captured + amount };
    case "refund":
      return { ...tally, returned: tally.returned + amount };
    case "reverse":
      return { ...tally, isReversed: true };
    case "authorize":
    case "purchase":
      return tally;
    default:
      return unreachable(entry.kind);
  }
}
