import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { maskNumber } from "../card.ts";
import type { OperationKind } from "../iso8583/dialect.ts";
import { DONE_CODE, type Entry, type Operation } from "../sandbox/entry.ts";
import { decide } from "../sandbox/rules.ts";
import { createTallies } from "../sandbox/tallies.ts";
import { behaviourOf } from "../sandbox/test-cards.ts";
import { createLineReader, type Line, readLine, writeLine } from "./json-lines.ts";

/**
 * A bank that can less than the sandbox bank, for tests: lines of JSON over TCP, in memory. It does what it is told as often as it is told, and
 * cannot be asked; only reversals are done once, however often they are sent.
 */
export interface PlainBank {
  readonly port: number;
  /** The references of the effects on money, in order. */
  effects(): string[];
  /** Does the next request and loses its answer. */
  loseNextAnswer(): void;
  /** Answers the next request with other values than it was asked. */
  changeNextAnswer(change: Line): void;
  close(): Promise<void>;
}

/** Starts a plain bank on a free port of this machine. */
export async function startPlainBank(): Promise<PlainBank> {
  const ledger = createLedger();
  const sockets = new Set<Socket>();
  const changes: (Line | undefined)[] = [];
  const server = createServer((socket) => {
    const read = createLineReader();
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      for (const line of read(chunk).map(readLine)) {
        if (line === undefined) continue;
        const answer = { ...line, ...ledger.answer(line) };
        const isChanged = changes.length > 0;
        const change = changes.shift();
        if (!isChanged) socket.write(writeLine(answer));
        else if (change !== undefined) socket.write(writeLine({ ...answer, ...change }));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    effects: ledger.effects,
    loseNextAnswer: () => void changes.push(undefined),
    changeNextAnswer: (change) => void changes.push(change),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function createLedger() {
  const entries: Entry[] = [];
  const tallies = createTallies();
  const find = (bankRef: string) => entries.find((entry) => entry.bankRef === bankRef);
  const submit = (operation: Operation): Entry => {
    const repeated = operation.kind === "reverse" ? find(operation.bankRef) : undefined;
    if (repeated !== undefined) return repeated;
    const { originalBankRef } = operation;
    // It has no calendar: no card of it is past its month.
    const circumstances = { original: find(originalBankRef), tally: tallies.of(originalBankRef), nowMs: 0 };
    const verdict = decide(operation, circumstances);
    const { number, ...rest } = operation;
    const authorizationCode = verdict.responseCode === DONE_CODE ? String(entries.length + 1) : "";
    const entry = { ...rest, ...verdict, card: maskNumber(number), time: "", authorizationCode };
    entries.push(entry);
    tallies.count(entry);
    return entry;
  };
  return {
    answer(line: Line): Line {
      const { number = "", cvc = "" } = line;
      const behaviour = behaviourOf(number);
      if (line["kind"] === "echo") return { code: DONE_CODE };
      if (line["kind"] === "verify") return { code: behaviour.verify, cvc: cvc === "" ? "" : behaviour.cvcResult };
      const kind = KINDS.find((known) => known === line["kind"]);
      if (kind === undefined) return { code: "30" };
      const entry = submit({ ...EMPTY, ...line, kind });
      return {
        code: entry.responseCode,
        authorization: entry.authorizationCode,
        reference: `n${entries.indexOf(entry)}`,
      };
    },
    effects: () => {
      const isEffect = (entry: Entry) =>
        entry.kind === "reverse" ? find(entry.originalBankRef)?.kind === "purchase" : entry.kind !== "authorize";
      return entries
        .filter((entry) => entry.responseCode === DONE_CODE && isEffect(entry))
        .map(({ bankRef }) => bankRef);
    },
  };
}

const KINDS: readonly OperationKind[] = ["authorize", "purchase", "capture", "reverse", "refund"];

const EMPTY = { bankRef: "", originalBankRef: "", amount: "", currencyNumber: "", number: "", expiry: "" };
