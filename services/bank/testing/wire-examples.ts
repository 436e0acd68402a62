import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestClock } from "../../_runtime/clock.ts";
import { createSecret } from "../../_runtime/secret.ts";
import type { OpenCard } from "../card.ts";
import type { MoneyRequest, Original } from "../connector.ts";
import { commonElements, inquiryElements, moneyElements, networkElements } from "../connectors/elements.ts";
import { encode, type Message } from "../iso8583/codec.ts";
import {
  INQUIRY_TYPE,
  NETWORK,
  NETWORK_TYPE,
  OPERATIONS,
  type OperationKind,
  writePrivate,
} from "../iso8583/dialect.ts";
import { frame } from "../iso8583/frames.ts";
import { answer } from "../sandbox/answer.ts";
import { openBook } from "../sandbox/book.ts";
import { ACCEPTOR } from "./acceptor.ts";

/** A request of Tripe and the sandbox bank's answer, as WIRE.md shows them. */
export interface WireExample {
  readonly name: string;
  readonly request: Message;
  readonly answer: Message;
}

const ACQUIRER = "000001";
const START_MS = Date.UTC(2026, 10, 30, 7, 1, 2);
const CARD = { number: createSecret("4242424242424242"), expMonth: 12, expYear: 2034 };
/** Declined for insufficient funds. */
const POOR_CARD = { ...CARD, number: createSecret("4000000000009995") };

/** Makes the examples of WIRE.md with the code that really writes and answers: an order that a bank could see in a minute. */
export async function createWireExamples(): Promise<WireExample[]> {
  const folder = await mkdtemp(join(tmpdir(), "tripe-wire-"));
  const clock = createTestClock(START_MS);
  const book = await openBook({ file: join(folder, "journal"), clock });
  const examples: WireExample[] = [];
  const ask = async (name: string, request: Message) => {
    const answered = await answer(book, request);
    if (answered === undefined) throw new Error(`no answer to ${name}`);
    examples.push({ name, request, answer: answered });
    return answered;
  };
  try {
    for (const one of requests()) {
      const request = typeof one.request === "function" ? one.request(examples) : one.request;
      await ask(one.name, request);
    }
  } finally {
    await book.close();
    await rm(folder, { recursive: true, force: true });
  }
  return examples;
}

/** A message in its frame, in hexadecimal digits. */
export function hexOf(message: Message): string {
  return frame(encode(message)).toString("hex");
}

interface Wanted {
  readonly name: string;
  /** A message; or how it is made of what was answered before. */
  readonly request: Message | ((before: readonly WireExample[]) => Message);
}

function requests(): Wanted[] {
  const hold = money("hold", "authorize", { traceNumber: 4, amountMinor: 5_000n });
  const other = money("second hold", "authorize", { traceNumber: 5, amountMinor: 700n });
  return [
    { name: "sign on", request: network(NETWORK.signOn, 900_001) },
    { name: "verify", request: verification() },
    money("purchase", "purchase", { traceNumber: 2, amountMinor: 2_000n }),
    money("declined purchase", "purchase", { traceNumber: 3, amountMinor: 2_000n, card: POOR_CARD }),
    hold,
    other,
    follow("capture", "capture", { traceNumber: 6, amountMinor: 4_500n, about: "hold", kind: "authorize" }),
    follow("refund", "refund", { traceNumber: 7, amountMinor: 500n, about: "purchase", kind: "purchase" }),
    follow("reverse", "reverse", { traceNumber: 8, amountMinor: 700n, about: "second hold", kind: "authorize" }),
    { name: "inquiry", request: inquiry("purchase", 2, 900_003) },
    { name: "inquiry about a declined purchase", request: inquiry("declined purchase", 3, 900_004) },
    { name: "inquiry about an unknown reference", request: inquiry("nothing", 9, 900_005) },
    { name: "echo", request: network(NETWORK.echo, 900_006) },
    { name: "sign off", request: network(NETWORK.signOff, 900_007) },
  ];
}

const REFERENCES: Readonly<Record<string, string>> = {
  purchase: "att_0VcRIC5l0P2kpLh7x5OFfPh5",
  "declined purchase": "att_0VcRICxR0dW1tq8vCqkT5cGm",
  hold: "att_0VcRID090RHq77toLgWwP7N1",
  "second hold": "att_0VcRINYl0CFgJPX5IKM7MXcH",
  capture: "att_0VcRIOhE0kTjqvLlD3IURTdd",
  refund: "att_0VcRIOVJ0tmh8vv1fMHPtyrL",
  reverse: "att_0VcRIPRh0et3tS18QSq8jV9S",
  nothing: "att_0VcRIOsQ08WDzi28jtWmMQXJ",
};

interface Ask {
  readonly traceNumber: number;
  readonly amountMinor: bigint;
  readonly about?: string;
  readonly original?: Original;
  readonly card?: OpenCard;
}

function write(
  name: string,
  kind: OperationKind,
  { traceNumber, amountMinor, about, original, card = CARD }: Ask,
): Message {
  const request: MoneyRequest = {
    bankRef: REFERENCES[name] ?? "",
    originalBankRef: REFERENCES[about ?? ""] ?? "",
    original,
    card,
    acceptor: ACCEPTOR,
    amountMinor,
    currencyCode: "USD",
    isRepeat: false,
    timeoutMs: 0,
  };
  const common = commonElements({ ...request, acquirer: ACQUIRER }, { traceNumber, timeMs: START_MS });
  return { type: OPERATIONS[kind].type, fields: { ...common, ...moneyElements(kind, request, ACQUIRER) } };
}

function money(name: string, kind: OperationKind, ask: Ask): Wanted {
  return { name, request: write(name, kind, ask) };
}

function follow(name: string, kind: OperationKind, ask: Ask & { about: string; kind: OperationKind }): Wanted {
  return {
    name,
    request: (before) => {
      const original = before.find((example) => example.name === ask.about);
      const traceNumber = Number(original?.request.fields[11]);
      const authorizationCode = original?.answer.fields[38] ?? "";
      const named = { kind: ask.kind, traceNumber, timeMs: START_MS, authorizationCode };
      return write(name, kind, { ...ask, original: named });
    },
  };
}

function verification(): Message {
  const { type, processingCode } = OPERATIONS.authorize;
  const common = commonElements(
    { acquirer: ACQUIRER, acceptor: ACCEPTOR, card: CARD },
    { traceNumber: 900_002, timeMs: START_MS },
  );
  const nothing = { 3: processingCode, 4: "000000000000", 49: "840" };
  const cvc = writePrivate({ "92": "123" });
  return { type, fields: { ...common, ...nothing, 48: cvc, 63: "ver_0VcRIOsQ08WDzi28jtWmMQXJ" } };
}

function inquiry(of: string, traceNumber: number, ownNumber: number): Message {
  const about: Original = { kind: "purchase", traceNumber, timeMs: START_MS, authorizationCode: "" };
  const inquired = { bankRef: REFERENCES[of] ?? "", acquirer: ACQUIRER, acceptor: ACCEPTOR, about };
  const fields = inquiryElements(inquired, { traceNumber: ownNumber, timeMs: START_MS + 60_000 });
  return { type: INQUIRY_TYPE, fields };
}

function network(code: string, traceNumber: number): Message {
  return { type: NETWORK_TYPE, fields: networkElements(code, { traceNumber, timeMs: START_MS }) };
}
