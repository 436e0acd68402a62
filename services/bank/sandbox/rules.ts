import { unreachable } from "../../_runtime/assert.ts";
import { DONE_CODE, type Entry, type Operation } from "./entry.ts";
import { behaviourOf } from "./test-cards.ts";

/** What has happened since to an authorization or a purchase, in the smallest unit of its currency. */
export interface Tally {
  readonly captured: number;
  readonly returned: number;
  readonly isReversed: boolean;
}

/** Nothing has happened since. */
export const UNTOUCHED: Tally = { captured: 0, returned: 0, isReversed: false };

/** What an operation is judged by: the authorization or purchase it is about, when there is one, and what has happened to that since. */
export interface Circumstances {
  readonly original: Entry | undefined;
  readonly tally: Tally;
}

/** Says how the bank answers an operation. Pure: the same operation in the same circumstances has the same answer. */
export function decide(operation: Operation, { original, tally }: Circumstances): string {
  switch (operation.kind) {
    case "authorize":
    case "purchase":
      return behaviourOf(operation.number).charge;
    case "capture":
      return judgeCapture(operation, original, tally);
    case "reverse":
      return judgeReversal(operation, original, tally);
    case "refund":
      return operation.originalBankRef === "" ? DONE_CODE : judgeRefund(operation, original, tally);
    default:
      return unreachable(operation.kind);
  }
}

/** What has happened to an original once this entry about it is done. */
export function tallyWith(tally: Tally, entry: Entry): Tally {
  const amount = Number(entry.amount);
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

/** Response codes of ISO 8583:1987. */
const INVALID_TRANSACTION = "12";
const INVALID_AMOUNT = "13";
const NOT_LOCATED = "25";

function judgeCapture(operation: Operation, original: Entry | undefined, tally: Tally): string {
  if (original === undefined) return NOT_LOCATED;
  const isOpen = isDone(original) && original.kind === "authorize" && tally.captured === 0 && !tally.isReversed;
  if (!isOpen || operation.currencyNumber !== original.currencyNumber) return INVALID_TRANSACTION;
  return Number(operation.amount) > Number(original.amount) ? INVALID_AMOUNT : DONE_CODE;
}

function judgeReversal(operation: Operation, original: Entry | undefined, tally: Tally): string {
  if (original === undefined) return NOT_LOCATED;
  const isOpen = isDone(original) && tally.captured === 0 && tally.returned === 0 && !tally.isReversed;
  if (!isOpen || operation.currencyNumber !== original.currencyNumber) return INVALID_TRANSACTION;
  return operation.amount === original.amount ? DONE_CODE : INVALID_AMOUNT;
}

function judgeRefund(operation: Operation, original: Entry | undefined, tally: Tally): string {
  if (original === undefined) return NOT_LOCATED;
  if (!isDone(original) || tally.isReversed || operation.currencyNumber !== original.currencyNumber) {
    return INVALID_TRANSACTION;
  }
  const taken = original.kind === "authorize" ? tally.captured : Number(original.amount);
  return tally.returned + Number(operation.amount) > taken ? INVALID_AMOUNT : DONE_CODE;
}

function isDone(entry: Entry): boolean {
  return entry.responseCode === DONE_CODE;
}
