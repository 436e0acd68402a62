import type { Message } from "../iso8583/codec.ts";
import {
  firstOf,
  INQUIRY_TYPE,
  NETWORK_TYPE,
  NOT_KNOWN_CODE,
  OPERATIONS,
  type OperationKind,
  PRIVATE,
  type PrivateData,
  readPrivate,
  responseTypeOf,
  writePrivate,
} from "../iso8583/dialect.ts";
import type { FieldValues } from "../iso8583/fields.ts";
import { type Book, isSameOperation, type StoredEntry } from "./book.ts";
import { DONE_CODE, type Operation } from "./entry.ts";
import { behaviourOf } from "./test-cards.ts";

/**
 * Answers one request as the sandbox bank: does what it asks (durably, before it answers) and gives the response message; undefined for what is
 * no request. A request without what it needs is answered 30, format error; a bank reference used again for something else 94, duplicate.
 */
export async function answer(book: Book, request: Message): Promise<Message | undefined> {
  const type = responseTypeOf(request.type);
  if (type === undefined) return undefined;
  return { type, fields: { ...echoOf(request.fields), ...(await resultOf(book, request)) } };
}

const FORMAT_ERROR = "30";
const DUPLICATE = "94";

/** What an answer repeats of its request. The card number is not sent back. */
function echoOf(fields: FieldValues): FieldValues {
  const echoed = [3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49, 61, 63, 70] as const;
  return Object.fromEntries(
    echoed.filter((number) => fields[number] !== undefined).map((number) => [number, fields[number]]),
  );
}

async function resultOf(book: Book, { type, fields }: Message): Promise<FieldValues> {
  const first = firstOf(type);
  if (first === NETWORK_TYPE) return { 39: DONE_CODE };
  if (first === INQUIRY_TYPE) return inquire(book, fields);
  const details = readPrivate(fields[48]);
  const operation = readOperation(first, fields);
  if (operation === undefined || details === undefined) return { 39: FORMAT_ERROR };
  return Number(operation.amount) === 0 ? verify(operation, details) : submit(book, operation);
}

async function submit(book: Book, operation: Operation): Promise<FieldValues> {
  const entry = await book.submit(operation);
  return isSameOperation(entry, operation) ? { 39: entry.responseCode, ...detailsOf(entry) } : { 39: DUPLICATE };
}

async function inquire(book: Book, fields: FieldValues): Promise<FieldValues> {
  if (fields[63] === undefined) return { 39: FORMAT_ERROR };
  const entry = await book.find(fields[63]);
  if (entry === undefined) return { 39: NOT_KNOWN_CODE };
  const original = writePrivate({ [PRIVATE.originalCode]: entry.responseCode });
  return { 39: DONE_CODE, ...detailsOf(entry), 4: entry.amount, 48: original, 49: entry.currencyNumber };
}

/** A verification has no effect, so nothing of it is kept. */
function verify(operation: Operation, details: PrivateData): FieldValues {
  if (operation.kind !== "authorize") return { 39: FORMAT_ERROR };
  const behaviour = behaviourOf(operation.number);
  const isGiven = details[PRIVATE.cvc] !== undefined;
  return {
    39: behaviour.verify,
    ...(isGiven ? { 48: writePrivate({ [PRIVATE.cvcResult]: behaviour.cvcResult }) } : {}),
  };
}

function detailsOf(entry: StoredEntry): FieldValues {
  const code = entry.authorizationCode;
  return { 62: entry.networkReference, ...(code === "" ? {} : { 38: code }) };
}

function readOperation(type: string, fields: FieldValues): Operation | undefined {
  const kind = kindOf(type, fields[3]);
  const { 2: number, 4: amount, 14: expiry, 49: currencyNumber, 61: originalBankRef = "", 63: bankRef } = fields;
  if (kind === undefined || number === undefined || amount === undefined || expiry === undefined) return undefined;
  if (currencyNumber === undefined || bankRef === undefined) return undefined;
  if (!/^[0-9]{12,19}$/.test(number) || !/^[0-9]{4}$/.test(expiry)) return undefined;
  // What is about an original names it, and says which message that was, as the standard wants it.
  const isFollowUp = kind !== "authorize" && kind !== "purchase";
  if (isFollowUp && (originalBankRef === "" || fields[90] === undefined)) return undefined;
  return { kind, bankRef, originalBankRef, amount, currencyNumber, number, expiry, ...messagesOf(type, fields) };
}

/** Type, trace number and time (elements 11 and 7) of a message, as element 90 begins; and what it says of its original. */
function messagesOf(type: string, { 7: time, 11: traceNumber, 38: code = "", 90: original = "" }: FieldValues) {
  const named = original.slice(0, MESSAGE_DIGITS);
  return {
    ...(time === undefined || traceNumber === undefined ? {} : { message: type + traceNumber + time }),
    ...(Number(named) === 0 ? {} : { originalMessage: named }),
    ...(code.trim() === "" ? {} : { originalCode: code.trim() }),
  };
}

/** Digits of type, trace number and time. */
const MESSAGE_DIGITS = 20;

const KINDS: readonly OperationKind[] = ["authorize", "purchase", "capture", "reverse", "refund"];

function kindOf(type: string, processingCode: string | undefined): OperationKind | undefined {
  return KINDS.find((kind) => OPERATIONS[kind].type === type && OPERATIONS[kind].processingCode === processingCode);
}
