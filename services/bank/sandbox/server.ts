import { createServer, type Server, type Socket } from "node:net";
import { assert } from "../../_runtime/assert.ts";
import type { Clock } from "../../_runtime/clock.ts";
import { CodecError, decode, encode, type Message } from "../iso8583/codec.ts";
import { firstOf, NETWORK, NETWORK_TYPE } from "../iso8583/dialect.ts";
import { createFrameWriter } from "../iso8583/frame-writer.ts";
import { createFrameReader, frame } from "../iso8583/frames.ts";
import { answer } from "./answer.ts";
import type { Book } from "./book.ts";
import { type Fault, type NextFault, NO_FAULTS } from "./faults.ts";

/** What a sandbox bank needs. */
export interface SandboxOptions {
  readonly book: Book;
  readonly clock: Clock;
  /** What goes wrong, asked once per request for money; default nothing. */
  readonly nextFault?: NextFault;
  /** Judges the password (element 96) that signs a connection on; nothing else is done or answered before. */
  readonly isPassword: (password: string | undefined) => boolean;
  /** Called with what must not happen: the book cannot be written any more. The process should end. */
  readonly onBroken: (error: unknown) => void;
}

/** Where a sandbox bank listens: at a port, or at a socket. */
export type SandboxAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** A sandbox bank that listens. */
export interface Sandbox {
  /** 0 for one at a socket. */
  readonly port: number;
  /** Closes the port and all connections, then the book. */
  close(): Promise<void>;
}

/** Opens the bank's port; it answers ISO 8583 over TCP until closed. Rejects when the port is taken. */
export async function listenSandbox(options: SandboxOptions, address: SandboxAddress): Promise<Sandbox> {
  const sockets = new Set<Socket>();
  const running = new Set<Promise<void>>();
  const stop = new AbortController();
  const goAway = async (ms: number) => {
    // Two requests of one moment can both want it: the first has it.
    if (!server.listening) return;
    const port = portOf(server);
    server.close();
    for (const socket of sockets) socket.destroy();
    await options.clock.sleep(ms, stop.signal);
    await listen(server, "path" in address ? address : { host: address.host, port });
  };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    const write = createFrameWriter(socket);
    const line: Line = { state: "new" };
    serve(socket, (bytes) => {
      const exchange = handle(bytes, { ...options, socket, line, write, goAway, signal: stop.signal }).finally(() =>
        running.delete(exchange),
      );
      running.add(exchange);
    });
  });
  await listen(server, address);
  const port = portOf(server);
  return {
    port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      stop.abort();
      await Promise.all([closed, ...running]);
      await options.book.close();
    },
  };
}

function listen(server: Server, address: SandboxAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const bound = server.address();
  assert(bound !== null, "a server that listens has an address");
  return typeof bound === "string" ? 0 : bound.port;
}

function serve(socket: Socket, take: (bytes: Buffer) => void): void {
  const reader = createFrameReader();
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const bytes of reader.push(chunk)) take(bytes);
    } catch {
      // The stream is out of step; what follows cannot be read.
      socket.destroy();
    }
  });
}

/** How far a connection has come; what comes on one that is over is not looked at. */
interface Line {
  state: "new" | "signed_on" | "over";
}

interface Exchange extends SandboxOptions {
  readonly socket: Socket;
  readonly line: Line;
  readonly write: (framed: Buffer) => void;
  /** Cuts all connections and refuses new ones for so many milliseconds. */
  readonly goAway: (ms: number) => Promise<void>;
  /** Aborted when the bank closes. */
  readonly signal: AbortSignal;
}

async function handle(bytes: Buffer, exchange: Exchange): Promise<void> {
  const request = exchange.line.state === "over" ? undefined : tryDecode(bytes);
  if (request === undefined) return;
  const isNetwork = firstOf(request.type) === NETWORK_TYPE;
  if (isNetwork && request.fields[70] === NETWORK.signOn) {
    exchange.line.state = exchange.isPassword(request.fields[96]) ? "signed_on" : "over";
    if (exchange.line.state === "over") return refuseSignOn(request, exchange);
  }
  if (exchange.line.state === "new") {
    exchange.socket.destroy();
    return;
  }
  const fault = isNetwork ? undefined : (exchange.nextFault ?? NO_FAULTS)();
  try {
    if (fault !== undefined) return await goWrong(request, fault, exchange);
    const response = await answer(exchange.book, request);
    if (response !== undefined) exchange.write(frame(encode(response)));
    if (isNetwork && request.fields[70] === NETWORK.signOff) exchange.socket.end();
  } catch (error) {
    if (!exchange.signal.aborted) exchange.onBroken(error);
  }
}

/** A wrong password is answered, so that whoever set it wrong learns it, and ends the line. */
async function refuseSignOn(request: Message, { book, write, socket }: Exchange): Promise<void> {
  const response = await answer(book, request);
  if (response !== undefined)
    write(frame(encode({ ...response, fields: { ...response.fields, 39: SECURITY_VIOLATION } })));
  socket.end();
}

const SECURITY_VIOLATION = "63";

/** A message that cannot be read is not answered: nothing in it can be trusted, not even whose it is. */
function tryDecode(bytes: Buffer): Message | undefined {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

async function goWrong(request: Message, { kind, lateMs }: Fault, exchange: Exchange): Promise<void> {
  if (kind === "drop") return;
  if (kind === "outage") return exchange.goAway(lateMs);
  if (kind === "delay") await exchange.clock.sleep(lateMs, exchange.signal);
  const response = await answer(exchange.book, request);
  if (kind === "late" || kind === "slow") await exchange.clock.sleep(lateMs, exchange.signal);
  if (kind === "lose" || response === undefined) return;
  const framed = frame(
    encode(kind === "echo" ? { ...response, fields: { ...response.fields, 63: "somebody-else" } } : response),
  );
  if (kind === "reset") {
    exchange.socket.write(framed.subarray(0, framed.length / 2));
    cutOff(exchange.socket);
    return;
  }
  exchange.write(kind === "malformed" ? frame(encode(response).subarray(0, -3)) : framed);
  if (kind === "double") exchange.write(framed);
}

/** Resets a connection; a Unix socket knows no reset, so that its peer sees it end within an answer. */
function cutOff(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroySoon();
  else socket.resetAndDestroy();
}
