import { connect, type Socket } from "node:net";
import type { CancelTimer, Clock } from "../../_runtime/clock.ts";
import type { NotSent, Unknown } from "../connector.ts";
import { CodecError, decode, encode, type Message } from "../iso8583/codec.ts";
import { responseTypeOf } from "../iso8583/dialect.ts";
import { createFrameWriter } from "../iso8583/frame-writer.ts";
import { createFrameReader, frame } from "../iso8583/frames.ts";

/** What came of sending one message: the bank's answer, or why there is none. */
export type Exchanged = { readonly outcome: "answered"; readonly message: Message } | NotSent | Unknown;

/** One TCP connection to a bank, with many requests on it at once, told apart by their trace number (element 11). */
export interface Connection {
  /**
   * Sends a request and waits for the message that answers it. `not_sent` only when nothing was written; from the moment it is written,
   * whatever goes wrong is `unknown`. The trace number must not be in use (`isInUse`).
   */
  exchange(request: Message, timeoutMs: number): Promise<Exchanged>;
  /** Says whether a request with this trace number waits for its answer. */
  isInUse(traceNumber: string): boolean;
  /** Says whether a request can still leave on it: false as soon as either side ends it, which is before `closed`. */
  isWritable(): boolean;
  /** Requests that wait for their answer. */
  inFlight(): number;
  /** How many messages the bank has sent. */
  received(): number;
  /** Ends the connection at once; what waits becomes unknown. */
  destroy(): void;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
}

/** Where a bank listens. */
export interface BankAddress {
  readonly host: string;
  readonly port: number;
}

/** Told of every answer that no request waits for: a late one, a second one, a foreign one. */
export type OnStray = (message: Message) => void;

/** What opening a connection needs. */
export interface OpenOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly onStray: OnStray;
}

/** Opens a connection; rejects when there is none within the time. */
export async function openConnection(
  address: BankAddress,
  { clock, timeoutMs, onStray }: OpenOptions,
): Promise<Connection> {
  const socket = connect({ ...address, noDelay: true });
  const cancel = clock.setTimer(
    () => socket.destroy(new Error("The bank did not take the connection in time")),
    timeoutMs,
  );
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
  } finally {
    cancel();
  }
  return createConnection(socket, clock, onStray);
}

interface Waiting {
  readonly responseType: string | undefined;
  readonly settle: (result: Exchanged) => void;
  readonly cancel: CancelTimer;
}

function createConnection(socket: Socket, clock: Clock, onStray: OnStray): Connection {
  const waiting = new Map<string, Waiting>();
  const write = createFrameWriter(socket);
  const settle = (traceNumber: string, result: Exchanged) => {
    const entry = waiting.get(traceNumber);
    waiting.delete(traceNumber);
    entry?.cancel();
    entry?.settle(result);
  };
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      for (const traceNumber of [...waiting.keys()])
        settle(traceNumber, { outcome: "unknown", reason: "connection_lost" });
      resolve();
    });
  });
  let received = 0;
  const take = (bytes: Buffer) => {
    received += 1;
    const message = tryDecode(bytes);
    if (message instanceof CodecError)
      return settle(message.traceNumber ?? "", { outcome: "unknown", reason: "unparsable" });
    const traceNumber = message.fields[11] ?? "";
    if (waiting.get(traceNumber)?.responseType === message.type) settle(traceNumber, { outcome: "answered", message });
    else onStray(message);
  };
  listen(socket, take);
  return {
    exchange(request, timeoutMs) {
      const framed = tryFrame(request);
      const traceNumber = request.fields[11];
      if (framed === undefined || traceNumber === undefined) return refuseToSend("not_expressible");
      if (!socket.writable || waiting.has(traceNumber)) return refuseToSend("unreachable");
      return new Promise((resolve) => {
        const cancel = clock.setTimer(() => settle(traceNumber, { outcome: "unknown", reason: "timeout" }), timeoutMs);
        waiting.set(traceNumber, { responseType: responseTypeOf(request.type), settle: resolve, cancel });
        write(framed);
      });
    },
    isWritable: () => socket.writable,
    isInUse: (traceNumber) => waiting.has(traceNumber),
    inFlight: () => waiting.size,
    received: () => received,
    destroy: () => void socket.destroy(),
    closed,
  };
}

function listen(socket: Socket, take: (bytes: Buffer) => void): void {
  const reader = createFrameReader();
  socket.on("error", () => socket.destroy());
  // The bank will answer nothing more, so it is sent nothing more, and what waits is not left waiting.
  socket.on("end", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const bytes of reader.push(chunk)) take(bytes);
    } catch {
      // A length that cannot be: we have lost our place in the stream, and no later byte can be trusted.
      socket.destroy();
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
