import type { Clock } from "../../_runtime/clock.ts";
import type { OpenCard } from "../card.ts";
import type {
  BankAnswer,
  Connector,
  CvcCheck,
  InquireAnswer,
  InquireRequest,
  MoneyRequest,
  NotSent,
  Unknown,
  VerifyAnswer,
  VerifyRequest,
} from "../connector.ts";
import { toIsoAmount } from "../iso8583/amounts.ts";
import type { Message } from "../iso8583/codec.ts";
import {
  ENTRY_MODE,
  INQUIRY_TYPE,
  NOT_KNOWN_CODE,
  OPERATIONS,
  type OperationKind,
  PRIVATE,
  readPrivate,
  repeatOf,
  writeOriginal,
  writePrivate,
} from "../iso8583/dialect.ts";
import { FIELD_NUMBERS, type FieldNumber, type FieldValues } from "../iso8583/fields.ts";
import { meaningOf } from "../reasons.ts";
import type { Exchanged } from "./connection.ts";
import { createLink, type Link, type LinkOptions } from "./link.ts";
import { createOriginals, type Originals } from "./originals.ts";
import { untilAcknowledged } from "./reversal.ts";

/** How we are known to the bank: elements 32 (up to 11 digits), 41 (8 characters) and 42 (15 characters). */
export interface Identity {
  readonly acquirer: string;
  readonly terminal: string;
  readonly merchant: string;
}

/** What the connector needs. `lateWindowMs` is the bank's word, see Capabilities. */
export interface Iso8583Options extends LinkOptions {
  readonly identity?: Identity;
  readonly lateWindowMs?: number;
}

/** As the sandbox bank takes them; a real bank assigns its own. */
const SANDBOX_IDENTITY: Identity = { acquirer: "000001", terminal: "TRIPE001", merchant: "TRIPE          " };

/** The sandbox bank is late by 120 s at most (sandbox/faults.ts). */
const SANDBOX_LATE_WINDOW_MS = 120_000;

/** A verification is for nothing, of a currency that every bank knows: US dollars. */
const NOTHING = { amount: "000000000000", currencyNumber: "840" };

/** Makes a connector that speaks ISO 8583 over TCP. It connects at once and stays connected until closed. */
export function createIso8583Connector(options: Iso8583Options): Connector {
  return createConnectorOver(createLink(options), options);
}

/** Makes a connector over a link of one's own, such as that of a simulated bank. */
export function createConnectorOver(
  link: Link,
  options: Omit<Iso8583Options, keyof LinkOptions> & { clock: Clock },
): Connector {
  const identity = options.identity ?? SANDBOX_IDENTITY;
  const tools: Tools = { link, identity, originals: createOriginals() };
  const operate = (kind: OperationKind) => (request: MoneyRequest) => submit(tools, kind, request);
  return {
    capabilities: {
      idempotentSubmit: true,
      inquiry: true,
      reversal: true,
      lateWindowMs: options.lateWindowMs ?? SANDBOX_LATE_WINDOW_MS,
    },
    authorize: operate("authorize"),
    purchase: operate("purchase"),
    capture: operate("capture"),
    reverse: (request) => untilAcknowledged(operate("reverse"), options.clock, request),
    refund: operate("refund"),
    verify: (request) => verify(link, identity, request),
    inquire: (request) => inquire(link, identity, request),
    awayMs: () => link.awayMs(),
    echo: (timeoutMs) => link.echo(timeoutMs),
    close: () => link.close(),
  };
}

interface Tools {
  readonly link: Link;
  readonly identity: Identity;
  readonly originals: Originals;
}

async function submit({ link, identity, originals }: Tools, kind: OperationKind, request: MoneyRequest) {
  const amount = toIsoAmount(request);
  if (amount === undefined || !REFERENCE.test(request.bankRef)) return NOT_EXPRESSIBLE;
  const { type, processingCode } = OPERATIONS[kind];
  const { bankRef, originalBankRef } = request;
  const fields: FieldValues = {
    ...cardElements(request.card),
    ...identityElements(identity),
    ...(originalBankRef === "" ? {} : { 61: originalBankRef }),
    ...(kind === "reverse" ? { 90: writeOriginal(identity.acquirer, originals.find(originalBankRef)) } : {}),
    3: processingCode,
    4: amount.amount,
    49: amount.currencyNumber,
    63: bankRef,
  };
  const sent: Message = { type: request.isRepeat ? repeatOf(type) : type, fields };
  return read(sent, await link.exchange(sent, request.timeoutMs, (stamped) => originals.note(bankRef, stamped)));
}

async function verify(link: Link, identity: Identity, request: VerifyRequest): Promise<VerifyAnswer> {
  const cvc = request.cvc === undefined ? {} : { 48: writePrivate({ [PRIVATE.cvc]: request.cvc.reveal() }) };
  const fields: FieldValues = {
    ...cardElements(request.card),
    ...identityElements(identity),
    ...cvc,
    3: OPERATIONS.authorize.processingCode,
    4: NOTHING.amount,
    49: NOTHING.currencyNumber,
    63: request.bankRef,
  };
  const sent: Message = { type: OPERATIONS.authorize.type, fields };
  const exchanged = await link.exchange(sent, request.timeoutMs);
  return { ...read(sent, exchanged), cvcCheck: readCvcCheck(checkEcho(sent, exchanged)) };
}

async function inquire(link: Link, identity: Identity, request: InquireRequest): Promise<InquireAnswer> {
  const amount = toIsoAmount(request);
  if (amount === undefined) return { outcome: "not_known" };
  const sent: Message = { type: INQUIRY_TYPE, fields: { ...identityElements(identity), 63: request.bankRef } };
  const exchanged = await link.exchange(sent, request.timeoutMs);
  // Nothing was learnt of what was asked about, however the question was lost.
  if (exchanged.outcome === "not_sent") return { outcome: "unknown", reason: "connection_lost" };
  const answer = checkEcho(sent, exchanged);
  if (answer.outcome !== "answered") return answer;
  const { 4: amountFound, 39: found, 48: data, 49: currencyFound } = answer.message.fields;
  if (found === NOT_KNOWN_CODE) return { outcome: "not_known" };
  const code = readPrivate(data)?.[PRIVATE.originalCode];
  if (found !== "00" || code === undefined) return UNPARSABLE;
  if (amountFound !== amount.amount || currencyFound !== amount.currencyNumber) return MISMATCH;
  return interpret(code, answer.message.fields);
}

/** What a bank reference may be: element 63 could hold more, and a bank need not. */
const REFERENCE = /^[ -~]{1,40}$/;

const NOT_EXPRESSIBLE: NotSent = { outcome: "not_sent", reason: "not_expressible" };
const UNPARSABLE: Unknown = { outcome: "unknown", reason: "unparsable" };
const MISMATCH: Unknown = { outcome: "unknown", reason: "mismatch" };

/** What the bank must repeat as it was sent. An answer without these, or with others, is not the answer to this request. */
const ECHOED: readonly FieldNumber[] = FIELD_NUMBERS.filter((number) =>
  [3, 4, 32, 41, 42, 49, 61, 63].includes(number),
);

function read(sent: Message, exchanged: Exchanged): BankAnswer {
  const answer = checkEcho(sent, exchanged);
  if (answer.outcome !== "answered") return answer;
  const { 39: code } = answer.message.fields;
  return code === undefined ? UNPARSABLE : interpret(code, answer.message.fields);
}

function checkEcho<T extends Exchanged>(sent: Message, exchanged: T): T | Unknown {
  if (exchanged.outcome !== "answered") return exchanged;
  const { fields } = exchanged.message;
  return ECHOED.every((number) => sent.fields[number] === undefined || sent.fields[number] === fields[number])
    ? exchanged
    : MISMATCH;
}

function interpret(responseCode: string, fields: FieldValues) {
  const meaning = meaningOf(responseCode);
  const networkReference = fields[37] ?? "";
  if (meaning.outcome === "unknown") return { outcome: "unknown", reason: "undecided" } as const;
  if (meaning.outcome === "accepted") {
    return { outcome: "accepted", responseCode, authorizationCode: fields[38] ?? "", networkReference } as const;
  }
  return { outcome: "declined", responseCode, reason: meaning.reason, networkReference } as const;
}

function readCvcCheck(exchanged: Exchanged): CvcCheck {
  if (exchanged.outcome !== "answered") return "unavailable";
  const result = readPrivate(exchanged.message.fields[48])?.[PRIVATE.cvcResult];
  return result === "M" ? "pass" : result === "N" ? "fail" : "unavailable";
}

function cardElements(card: OpenCard): FieldValues {
  const year = String(card.expYear % 100).padStart(2, "0");
  const month = String(card.expMonth).padStart(2, "0");
  return { 2: card.number.reveal(), 14: year + month, 22: ENTRY_MODE };
}

function identityElements({ acquirer, terminal, merchant }: Identity): FieldValues {
  return { 32: acquirer, 41: terminal, 42: merchant };
}
