import { unreachable } from "../../_runtime/assert.ts";
import { DONE_CODE, type Entry, type Operation, PENDING_CODE } from "./entry.ts";
import type { Tally } from "./tallies.ts";
import { behaviourOf } from "./test-cards.ts";

/** What an operation is judged by: the authorization or purchase it is about, when there is one, and what has happened to that since. */
export interface Circumstances {
  readonly original: Entry | undefined;
  readonly tally: Tally;
  /** Milliseconds since 1970, on the bank's own calendar. */
  readonly nowMs: number;
}

/** How the bank answers: its response code, and, of what is in progress, the code it will end with. */
export type Verdict = Pick<Entry, "endCode" | "responseCode">;

/** Says how the bank answers an operation. Pure: the same operation in the same circumstances has the same answer. */
export function decide(operation: Operation, circumstances: Circumstances): Verdict {
  const responseCode = judge(operation, circumstances);
  const { refundEnd } = behaviourOf(operation.number);
  const isLater = operation.kind === "refund" && responseCode === DONE_CODE && refundEnd !== undefined;
  return isLater ? { responseCode: PENDING_CODE, endCode: refundEnd } : { responseCode };
}

function judge(operation: Operation, { original, tally, nowMs }: Circumstances): string {
  if (original !== undefined && !isNamedRightly(operation, original)) return NOT_LOCATED;
  switch (operation.kind) {
    case "authorize":
    case "purchase":
      return judgeCharge(operation, nowMs);
    case "capture":
      return judgeCapture(operation, original, tally);
    case "reverse":
      return judgeReversal(operation, original, tally);
    case "refund":
      return judgeRefund(operation, original, tally);
    default:
      return unreachable(operation.kind);
  }
}

/** Response codes of ISO 8583:1987. */
const INVALID_TRANSACTION = "12";
const INVALID_AMOUNT = "13";
const NOT_LOCATED = "25";
const EXPIRED_CARD = "54";

/** A card that declines anyway does so with the code it is there for. */
function judgeCharge({ number, expiry }: Operation, nowMs: number): string {
  const { charge } = behaviourOf(number);
  return charge === DONE_CODE && isExpired(expiry, nowMs) ? EXPIRED_CARD : charge;
}

/** A card is good through the last day of its month (YYMM), in UTC. What it bought can be captured and given back later. */
function isExpired(expiry: string, nowMs: number): boolean {
  const [year, month] = [2_000 + Number(expiry.slice(0, 2)), Number(expiry.slice(2))];
  return nowMs >= Date.UTC(year, month);
}

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

/** Whether all that an operation says of its original fits it: a slip there is one of the sender's, and would be lost at a real bank. */
function isNamedRightly({ originalMessage, originalCode }: Operation, { message, authorizationCode }: Entry): boolean {
  const isMessage = originalMessage === undefined || message === undefined || originalMessage === message;
  return isMessage && (originalCode === undefined || originalCode === authorizationCode);
}

function isDone(entry: Entry): boolean {
  return entry.responseCode === DONE_CODE;
}
