import type { Log } from "../../_runtime/log.ts";
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
import {
  INQUIRY_TYPE,
  NOT_KNOWN_CODE,
  OPERATIONS,
  type OperationKind,
  PRIVATE,
  readPrivate,
  repeatOf,
  writePrivate,
} from "../iso8583/dialect.ts";
import type { FieldValues } from "../iso8583/fields.ts";
import { meaningOf } from "../reasons.ts";
import type { Exchanged } from "./connection.ts";
import { commonElements, inquiryElements, moneyElements } from "./elements.ts";
import { createLink, describeBank, type Link, type LinkOptions, type Write } from "./link.ts";
import { findMismatch } from "./match.ts";
import { untilAcknowledged } from "./reversal.ts";

/** What the connector needs. `lateWindowMs` is the bank's word, see Capabilities. */
export interface Iso8583Options extends LinkOptions {
  /** How we are known to the bank, element 32: up to 11 digits. */
  readonly acquirer?: string;
  readonly lateWindowMs?: number;
}

/** As the sandbox bank takes it; a real bank assigns its own. */
const SANDBOX_ACQUIRER = "000001";

/** The sandbox bank is late by 120 s at most (sandbox/faults.ts). */
const SANDBOX_LATE_WINDOW_MS = 120_000;

/** A verification is for nothing, of a currency that every bank knows: US dollars. */
const NOTHING = { amount: "000000000000", currencyNumber: "840" };

/** Makes a connector that speaks ISO 8583 over TCP. It connects at once and stays connected until closed. */
export function createIso8583Connector(options: Iso8583Options): Connector {
  return createConnectorOver(createLink(options), options);
}

/** Makes a connector over a link of one's own, such as that of a simulated bank. */
export function createConnectorOver(link: Link, options: Omit<Iso8583Options, "firstTraceNumber">): Connector {
  const { clock, log, acquirer = SANDBOX_ACQUIRER } = options;
  const tools: Tools = { link, acquirer, log, bank: describeBank(options) };
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
    reverse: (request) => untilAcknowledged(operate("reverse"), clock, request),
    refund: operate("refund"),
    verify: (request) => verify(tools, request),
    inquire: (request) => inquire(tools, request),
    awayMs: () => link.awayMs(),
    problem: () => link.problem(),
    echo: (timeoutMs) => link.echo(timeoutMs),
    close: () => link.close(),
  };
}

interface Tools {
  readonly link: Link;
  readonly acquirer: string;
  readonly log: Log;
  /** What a log line says of the bank. */
  readonly bank: ReturnType<typeof describeBank>;
}

async function submit(tools: Tools, kind: OperationKind, request: MoneyRequest): Promise<BankAnswer> {
  const { link, acquirer } = tools;
  const elements = moneyElements(kind, request, acquirer);
  if (elements === undefined) return NOT_EXPRESSIBLE;
  const { type } = OPERATIONS[kind];
  const write: Write = (fresh) => ({
    type: request.isRepeat ? repeatOf(type) : type,
    fields: { ...commonElements({ ...request, acquirer }, request.trace ?? fresh), ...elements },
  });
  return read(check(tools, await link.exchange(write, request.timeoutMs)), kind);
}

async function verify(tools: Tools, request: VerifyRequest): Promise<VerifyAnswer> {
  const { link, acquirer } = tools;
  const cvc = request.cvc === undefined ? {} : { 48: writePrivate({ [PRIVATE.cvc]: request.cvc.reveal() }) };
  const { type, processingCode } = OPERATIONS.authorize;
  const elements = { ...cvc, 3: processingCode, 4: NOTHING.amount, 49: NOTHING.currencyNumber, 63: request.bankRef };
  const write: Write = (fresh) => ({
    type,
    fields: { ...commonElements({ ...request, acquirer }, fresh), ...elements },
  });
  const exchanged = check(tools, await link.exchange(write, request.timeoutMs));
  return { ...read(exchanged, "authorize"), cvcCheck: readCvcCheck(exchanged) };
}

async function inquire(tools: Tools, request: InquireRequest): Promise<InquireAnswer> {
  const { link, acquirer } = tools;
  const { bankRef, acceptor, about } = request;
  const amount = toIsoAmount(request);
  if (amount === undefined) return { outcome: "not_known" };
  const inquired = { bankRef, acceptor, about, acquirer };
  const write: Write = (fresh) => ({ type: INQUIRY_TYPE, fields: inquiryElements(inquired, fresh) });
  const exchanged = await link.exchange(write, request.timeoutMs);
  // Nothing was learnt of what was asked about, however the question was lost.
  if (exchanged.outcome === "not_sent") return { outcome: "unknown", reason: "connection_lost" };
  if (exchanged.outcome === "unknown") {
    tools.log.info("bank gave no answer to an inquiry", { ...tools.bank, bank_ref: bankRef, reason: exchanged.reason });
  }
  const answer = check(tools, exchanged, { 4: amount.amount, 49: amount.currencyNumber });
  if (answer.outcome !== "answered") return answer;
  const { 39: found, 48: data } = answer.message.fields;
  if (found === NOT_KNOWN_CODE) return { outcome: "not_known" };
  const code = readPrivate(data)?.[PRIVATE.originalCode];
  const inquiry = { ...tools.bank, bank_ref: bankRef, response_code: found };
  if (found !== "00" || code === undefined) {
    const problem = found === "00" ? "element 48 has no response code of the request (39)" : "neither 00 nor 25";
    tools.log.warn("bank's answer to an inquiry decides nothing", { ...inquiry, problem });
    return UNPARSABLE;
  }
  const became = interpret(code, answer.message.fields, about?.kind);
  if (became.outcome === "unknown") {
    const problem = "the request's response code decides nothing";
    tools.log.info("bank's answer to an inquiry decides nothing", { ...inquiry, problem, request_code: code });
  }
  return became;
}

const NOT_EXPRESSIBLE: NotSent = { outcome: "not_sent", reason: "not_expressible" };
const UNPARSABLE: Unknown = { outcome: "unknown", reason: "unparsable" };
const MISMATCH: Unknown = { outcome: "unknown", reason: "mismatch" };

/**
 * Turns an answer that is none to its request into a mismatch. `expected` are elements that the request did not hold: what an inquiry is
 * about was of this amount, when the bank says one.
 */
function check<T extends Exchanged>({ log, bank }: Tools, exchanged: T, expected: FieldValues = {}): T | Unknown {
  if (exchanged.outcome !== "answered") return exchanged;
  const { request, message } = exchanged;
  const element = findMismatch({ ...request, fields: { ...expected, ...request.fields } }, message);
  if (element === undefined) return exchanged;
  // The element's number, never what stands in it: that may be a card number.
  const answered = { bank_ref: request.fields[63] ?? "", element, response_code: message.fields[39] };
  log.warn("bank answered something else", { ...bank, ...answered });
  return MISMATCH;
}

function read(answer: Exchanged, kind: OperationKind): BankAnswer {
  if (answer.outcome !== "answered") return answer;
  const { 39: code } = answer.message.fields;
  return code === undefined ? UNPARSABLE : interpret(code, answer.message.fields, kind);
}

function interpret(responseCode: string, fields: FieldValues, kind?: OperationKind) {
  const meaning = meaningOf(responseCode, kind);
  const networkReference = textOf(fields[62], 24) || textOf(fields[37], 24);
  if (meaning.outcome === "unknown") return { outcome: "unknown", reason: "undecided", responseCode } as const;
  if (meaning.outcome === "accepted") {
    return { outcome: "accepted", responseCode, authorizationCode: textOf(fields[38], 6), networkReference } as const;
  }
  return { outcome: "declined", responseCode, reason: meaning.reason, networkReference } as const;
}

/** What a bank says for people, without the spaces around it; empty when it is longer than we keep, or no word: nothing depends on it. */
function textOf(value = "", lengthMax: number): string {
  const text = value.trim();
  return text.length <= lengthMax && /^[!-~]*$/.test(text) ? text : "";
}

function readCvcCheck(exchanged: Exchanged): CvcCheck {
  if (exchanged.outcome !== "answered") return "unavailable";
  const result = readPrivate(exchanged.message.fields[48])?.[PRIVATE.cvcResult];
  return result === "M" ? "pass" : result === "N" ? "fail" : "unavailable";
}
