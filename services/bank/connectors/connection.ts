import type { Socket } from "node:net";
import type { Clock } from "../../_runtime/clock.ts";
import type { NotSent, Unknown } from "../connector.ts";
import { CodecError, decode, encode, type Message } from "../iso8583/codec.ts";
import { createFrameWriter } from "../iso8583/frame-writer.ts";
import { createFrameReader, frame } from "../iso8583/frames.ts";
import { type BankAddress, describeProblem, dial } from "./dial.ts";
import { isAnswerTo } from "./match.ts";
import { readNetworkRequest } from "./network.ts";

/** What came of sending one message: the bank's answer, or why there is none. */
export type Exchanged =
  | { readonly outcome: "answered"; readonly request: Message; readonly message: Message }
  | NotSent
  | Unknown;

/** One connection to a bank, with many requests on it at once, told apart by their trace number (element 11) and the type of their answer. */
export interface Connection {
  /**
   * Sends a request and waits for the message that answers it. `not_sent` only when nothing was written; from the moment it is written,
   * whatever goes wrong is `unknown`. A request and its repeat may wait at once, under one trace number: an answer is one to both. Any other
   * request must not have a trace number in use (`isInUse`).
   */
  exchange(request: Message, timeoutMs: number): Promise<Exchanged>;
  /** Says whether a request with this trace number waits for its answer. */
  isInUse(traceNumber: string): boolean;
  /** Says whether a request can still leave on it: false as soon as either side ends it or the bank signs off, which is before `closed`. */
  isWritable(): boolean;
  /** Requests that wait for their answer. */
  inFlight(): number;
  /** How many messages the bank has sent. */
  received(): number;
  /** Ends the connection at once, for a reason to be logged; what waits becomes unknown. */
  destroy(reason: string): void;
  /** Resolves with the reason when the connection has ended, whoever ended it. */
  readonly closed: Promise<string>;
}

/** Why a connection ended that the bank signed off from. */
export const SIGNED_OFF = "the bank signed off";

/** After the bank has signed off, how long the answers on their way are waited for: what most banks need, several times over. */
const SIGNED_OFF_GRACE_MS = 5_000;

/** Bytes that the bank has not read above which its network messages are not answered: it sends and does not read. */
const UNREAD_MAX_BYTES = 65_536;

/** Called with every message that answers no request (late, second, foreign, or a request that is not answered), and with what cannot be read. */
export type OnStray = (stray: Message | CodecError) => void;

/** What opening a connection needs. */
export interface OpenOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly onStray: OnStray;
}

/** Opens a connection; rejects when there is none within the time. */
export async function openConnection(address: BankAddress, options: OpenOptions): Promise<Connection> {
  return createConnection(await dial(address, options), options);
}

interface Waiting {
  readonly request: Message;
  readonly settle: (result: Exchanged) => void;
}

function createConnection(socket: Socket, { clock, onStray }: OpenOptions): Connection {
  const waiting = createWaitingRoom();
  const write = createFrameWriter(socket);
  let reason = "the bank closed the connection";
  socket.on("error", (error) => {
    reason = describeProblem(error);
  });
  const closed = new Promise<string>((resolve) => {
    socket.once("close", () => {
      for (const { settle } of waiting.all()) settle({ outcome: "unknown", reason: "connection_lost" });
      resolve(reason);
    });
  });
  let received = 0;
  const network = createNetworkAnswers({
    ...{ socket, clock, write },
    isIdle: () => waiting.size() === 0,
    onSignOff: () => {
      reason = SIGNED_OFF;
    },
  });
  const isWritable = () => socket.writable && !network.isSignedOff();
  const take = (bytes: Buffer) => {
    received += 1;
    const message = tryDecode(bytes);
    if (message instanceof CodecError) {
      onStray(message);
      for (const { settle } of waiting.of(message.traceNumber)) settle({ outcome: "unknown", reason: "unparsable" });
      return;
    }
    if (network.take(message)) return;
    const answered = waiting.of(message.fields[11]).filter(({ request }) => isAnswerTo(request, message));
    for (const { request, settle } of answered) settle({ outcome: "answered", request, message });
    if (answered.length === 0) onStray(message);
  };
  const destroy = (why: string) => {
    reason = why;
    socket.destroy();
  };
  listen(socket, take, destroy);
  return {
    exchange(request, timeoutMs) {
      const framed = tryFrame(request);
      const traceNumber = request.fields[11];
      if (framed === undefined || traceNumber === undefined) return refuseToSend("not_expressible");
      if (!isWritable()) return refuseToSend("unreachable");
      return new Promise((resolve) => {
        const settle = (result: Exchanged) => {
          waiting.leave(traceNumber, entry);
          cancel();
          network.endWhenIdle();
          resolve(result);
        };
        const cancel = clock.setTimer(() => settle({ outcome: "unknown", reason: "timeout" }), timeoutMs);
        const entry = { request, settle };
        waiting.enter(traceNumber, entry);
        write(framed);
      });
    },
    isWritable,
    isInUse: (traceNumber) => waiting.of(traceNumber).length > 0,
    inFlight: () => waiting.size(),
    received: () => received,
    destroy,
    closed,
  };
}

interface NetworkOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly write: (framed: Buffer) => void;
  readonly isIdle: () => boolean;
  readonly onSignOff: () => void;
}

/** Answers the bank's own network messages. Once it has signed off the connection is ended when idle, or when the grace is over. */
function createNetworkAnswers({ socket, clock, write, isIdle, onSignOff }: NetworkOptions) {
  let isSignedOff = false;
  const endWhenIdle = () => {
    if (isSignedOff && isIdle()) socket.destroySoon();
  };
  const signOff = () => {
    isSignedOff = true;
    onSignOff();
    const cancel = clock.setTimer(() => socket.destroy(), SIGNED_OFF_GRACE_MS);
    socket.once("close", cancel);
    endWhenIdle();
  };
  return {
    isSignedOff: () => isSignedOff,
    endWhenIdle,
    /** Takes a message when it is one, and says whether it was. */
    take(message: Message): boolean {
      const request = readNetworkRequest(message);
      if (request === undefined) return false;
      if (socket.writableLength < UNREAD_MAX_BYTES) write(frame(encode(request.answer)));
      if (request.isSignOff && !isSignedOff) signOff();
      return true;
    },
  };
}

/** Requests that wait, by their trace number: nearly always one of each. */
function createWaitingRoom() {
  const byNumber = new Map<string, Waiting[]>();
  let size = 0;
  return {
    size: () => size,
    all: () => [...byNumber.values()].flat(),
    of: (traceNumber = "") => [...(byNumber.get(traceNumber) ?? [])],
    enter(traceNumber: string, entry: Waiting) {
      byNumber.set(traceNumber, [...(byNumber.get(traceNumber) ?? []), entry]);
      size += 1;
    },
    leave(traceNumber: string, entry: Waiting) {
      const rest = (byNumber.get(traceNumber) ?? []).filter((other) => other !== entry);
      if (rest.length === 0) byNumber.delete(traceNumber);
      else byNumber.set(traceNumber, rest);
      size -= 1;
    },
  };
}

function listen(socket: Socket, take: (bytes: Buffer) => void, destroy: (reason: string) => void): void {
  const reader = createFrameReader();
  socket.on("error", () => socket.destroy());
  // The bank will answer nothing more, so it is sent nothing more, and what waits is not left waiting.
  socket.on("end", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const bytes of reader.push(chunk)) take(bytes);
    } catch {
      // A length that cannot be: we have lost our place in the stream, and no later byte can be trusted.
      destroy("the bank sent a length that no message has");
    }
  });
}

function refuseToSend(reason: NotSent["reason"]): Promise<Exchanged> {
  return Promise.resolve({ outcome: "not_sent", reason });
}

function tryFrame(request: Message): Buffer | undefined {
  try {
    return frame(encode(request));
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

function tryDecode(bytes: Buffer): Message | CodecError {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
}
