import { connect, type Socket } from "node:net";
import type { Clock } from "../../_runtime/clock.ts";
import type { BankAnswer, Connector, CvcCheck, MoneyRequest, NotSent, Unknown, VerifyAnswer } from "../connector.ts";
import { toIsoAmount } from "../iso8583/amounts.ts";
import type { OperationKind } from "../iso8583/dialect.ts";
import { meaningOf } from "../reasons.ts";
import { createLineReader, type Line, readLine, writeLine } from "./json-lines.ts";

/** What the plain bank (plain-bank.ts) can do: it takes reversals, and neither repeats nor questions. */
export const PLAIN_CAPABILITIES = { idempotentSubmit: false, inquiry: false, reversal: true, lateWindowMs: 1_000 };

/** Makes a connector to a plain bank on this machine. It makes a connection per request and keeps none. */
export function createPlainConnector({ port, clock }: { port: number; clock: Clock }): Connector {
  let awaySinceMs: number | undefined;
  const exchange = async (line: Line, timeoutMs: number): Promise<Exchanged> => {
    const socket = await dial(port, clock, timeoutMs);
    awaySinceMs = socket === undefined ? (awaySinceMs ?? clock.preciseMs()) : undefined;
    return socket === undefined ? { outcome: "not_sent", reason: "unreachable" } : ask(socket, line, clock, timeoutMs);
  };
  const operate = (kind: OperationKind) => async (request: MoneyRequest) => {
    // A second purchase is a second purchase at this bank: what may have been sent is not sent again.
    if (request.isRepeat && kind !== "reverse") return NOT_OFFERED;
    const line = lineOf(kind, request);
    return line === undefined ? NOT_EXPRESSIBLE : read(line, await exchange(line, request.timeoutMs));
  };
  return {
    capabilities: PLAIN_CAPABILITIES,
    authorize: operate("authorize"),
    purchase: operate("purchase"),
    capture: operate("capture"),
    reverse: operate("reverse"),
    refund: operate("refund"),
    async verify({ bankRef, card, cvc, timeoutMs }): Promise<VerifyAnswer> {
      const line = { kind: "verify", bankRef, number: card.number.reveal(), cvc: cvc?.reveal() ?? "" };
      const found = await exchange(line, timeoutMs);
      return { ...read(line, found), cvcCheck: found.outcome === "answered" ? cvcCheckOf(found.line) : "unavailable" };
    },
    inquire: async () => NOT_OFFERED,
    awayMs: () => (awaySinceMs === undefined ? 0 : clock.preciseMs() - awaySinceMs),
    problem: () => (awaySinceMs === undefined ? "" : "nothing listens"),
    echo: async (timeoutMs) => (await exchange({ kind: "echo" }, timeoutMs)).outcome === "answered",
    close: async () => undefined,
  };
}

type Exchanged = { readonly outcome: "answered"; readonly line: Line } | NotSent | Unknown;

const NOT_EXPRESSIBLE: NotSent = { outcome: "not_sent", reason: "not_expressible" };
const NOT_OFFERED: Unknown = { outcome: "unknown", reason: "not_offered" };

function lineOf(kind: OperationKind, request: MoneyRequest): Line | undefined {
  const amount = toIsoAmount(request);
  const { bankRef, originalBankRef, card } = request;
  if (amount === undefined || !/^[ -~]{1,40}$/.test(bankRef)) return undefined;
  const expiry = `${card.expYear % 100}${String(card.expMonth).padStart(2, "0")}`;
  return { kind, bankRef, originalBankRef, ...amount, number: card.number.reveal(), expiry };
}

function read(sent: Line, exchanged: Exchanged): BankAnswer {
  if (exchanged.outcome !== "answered") return exchanged;
  const { code: responseCode, authorization = "", reference: networkReference = "" } = exchanged.line;
  const isOurs = ["kind", "bankRef", "amount", "currencyNumber"].every((key) => sent[key] === exchanged.line[key]);
  if (!isOurs) return { outcome: "unknown", reason: "mismatch" };
  if (responseCode === undefined) return { outcome: "unknown", reason: "unparsable" };
  const meaning = meaningOf(responseCode);
  if (meaning.outcome === "unknown") return { outcome: "unknown", reason: "undecided" };
  if (meaning.outcome === "declined") return { ...meaning, responseCode, networkReference };
  return { ...meaning, responseCode, authorizationCode: authorization, networkReference };
}

function cvcCheckOf({ cvc }: Line): CvcCheck {
  return cvc === "M" ? "pass" : cvc === "N" ? "fail" : "unavailable";
}

function dial(port: number, clock: Clock, timeoutMs: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const cancel = clock.setTimer(() => socket.destroy(), timeoutMs);
    const settle = (found: Socket | undefined) => {
      cancel();
      resolve(found);
    };
    socket.once("connect", () => settle(socket));
    socket.on("error", () => socket.destroy());
    socket.once("close", () => settle(undefined));
  });
}

function ask(socket: Socket, line: Line, clock: Clock, timeoutMs: number): Promise<Exchanged> {
  return new Promise((resolve) => {
    const readLines = createLineReader();
    const settle = (result: Exchanged) => {
      cancel();
      resolve(result);
      socket.destroy();
    };
    const cancel = clock.setTimer(() => settle({ outcome: "unknown", reason: "timeout" }), timeoutMs);
    socket.once("close", () => settle({ outcome: "unknown", reason: "connection_lost" }));
    socket.on("data", (chunk: Buffer) => {
      for (const text of readLines(chunk)) {
        const found = readLine(text);
        settle(
          found === undefined ? { outcome: "unknown", reason: "unparsable" } : { outcome: "answered", line: found },
        );
      }
    });
    socket.write(writeLine(line));
  });
}
