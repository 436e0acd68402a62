import type { OpenCard } from "../card.ts";
import type { CardAcceptor, MoneyRequest, Original, Trace } from "../connector.ts";
import { toIsoAmount } from "../iso8583/amounts.ts";
import {
  CONDITION_CODE,
  ENTRY_MODE,
  OPERATIONS,
  type OperationKind,
  retrievalReference,
  timeElements,
  writeNameAndLocation,
  writeOriginal,
  writeTraceNumber,
} from "../iso8583/dialect.ts";
import type { FieldValues } from "../iso8583/fields.ts";

/** The elements that every request for money and every verification has: when, on which card, for which merchant. */
export function commonElements(about: About, trace: Trace): FieldValues {
  const { acquirer, acceptor, card } = about;
  return {
    ...cardElements(card),
    ...timeElements(trace.timeMs, acceptor.timeZone),
    ...acceptorElements(acceptor),
    ...(acceptor.merchantCategory === "" ? {} : { 18: acceptor.merchantCategory }),
    11: writeTraceNumber(trace.traceNumber),
    25: CONDITION_CODE,
    32: acquirer,
    37: retrievalReference(trace),
    43: writeNameAndLocation(acceptor),
  };
}

/** What a request is about. `acquirer` is element 32. */
export interface About {
  readonly acquirer: string;
  readonly acceptor: CardAcceptor;
  readonly card: OpenCard;
}

/** What a bank reference may be: element 63 could hold more, and a bank need not. */
const REFERENCE = /^[ -~]{1,40}$/;

/** The elements of a request for money, beside the common ones; undefined when it cannot be said. */
export function moneyElements(kind: OperationKind, request: MoneyRequest, acquirer: string): FieldValues | undefined {
  const { bankRef, original, originalBankRef } = request;
  const amount = toIsoAmount(request);
  if (amount === undefined || !REFERENCE.test(bankRef)) return undefined;
  const about = originalBankRef === "" ? {} : { 61: originalBankRef, ...originalElements(original, acquirer) };
  return {
    ...about,
    3: OPERATIONS[kind].processingCode,
    4: amount.amount,
    49: amount.currencyNumber,
    63: bankRef,
  };
}

/** The elements of an inquiry: its own time and number, and all that names what it is about. */
export function inquiryElements({ bankRef, acceptor, about, acquirer }: Inquired, trace: Trace): FieldValues {
  const { 7: time, 12: localTime, 13: localDate } = timeElements(trace.timeMs, acceptor.timeZone);
  return {
    ...acceptorElements(acceptor),
    ...(about === undefined ? {} : { 37: retrievalReference(about), 90: writeOriginal(acquirer, messageOf(about)) }),
    7: time,
    11: writeTraceNumber(trace.traceNumber),
    12: localTime,
    13: localDate,
    32: acquirer,
    63: bankRef,
  };
}

/** The elements of signing on and off and of an echo, by the code of element 70; with what signs on in 96, where there is one. */
export function networkElements(code: string, { traceNumber, timeMs }: Trace, password?: string): FieldValues {
  const proof = password === undefined ? {} : { 96: password };
  return { 7: timeElements(timeMs)[7], 11: writeTraceNumber(traceNumber), 70: code, ...proof };
}

/** What an inquiry is about; `about` is undefined of what was begun before Tripe kept trace numbers. */
export interface Inquired {
  readonly bankRef: string;
  readonly acquirer: string;
  readonly acceptor: CardAcceptor;
  readonly about: Original | undefined;
}

/** Names the original in element 90, and its authorization code, when it has one, in 38. */
function originalElements(original: Original | undefined, acquirer: string): FieldValues {
  const code = original?.authorizationCode ?? "";
  return {
    ...(/^[A-Za-z0-9]{1,6}$/.test(code) ? { 38: code.padEnd(6) } : {}),
    90: writeOriginal(acquirer, original && messageOf(original)),
  };
}

function messageOf({ kind, traceNumber, timeMs }: Original) {
  return { type: OPERATIONS[kind].type, traceNumber: writeTraceNumber(traceNumber), time: timeElements(timeMs)[7] };
}

function cardElements(card: OpenCard): FieldValues {
  const year = String(card.expYear % 100).padStart(2, "0");
  const month = String(card.expMonth).padStart(2, "0");
  return { 2: card.number.reveal(), 14: year + month, 22: ENTRY_MODE };
}

function acceptorElements({ terminalId, merchantId }: CardAcceptor): FieldValues {
  return { 41: terminalId.padEnd(8), 42: merchantId.padEnd(15) };
}
