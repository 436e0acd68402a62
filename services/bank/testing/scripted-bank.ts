import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { createSecret } from "../../_runtime/secret.ts";
import type { Connector, MoneyRequest } from "../connector.ts";
import type { Iso8583Options } from "../connectors/iso8583.ts";
import { decode, encode, type Message } from "../iso8583/codec.ts";
import { NETWORK_TYPE, responseTypeOf } from "../iso8583/dialect.ts";
import type { FieldValues } from "../iso8583/fields.ts";
import { createFrameReader, frame } from "../iso8583/frames.ts";
import { ACCEPTOR } from "./acceptor.ts";
import { connectTo } from "./sandbox.ts";

/** A purchase that every test may make. */
export const BUY: MoneyRequest = {
  bankRef: "buy_1",
  acceptor: ACCEPTOR,
  card: { number: createSecret("4242424242424242"), expMonth: 12, expYear: 2034 },
  amountMinor: 2_000n,
  currencyCode: "USD",
  originalBankRef: "",
  isRepeat: false,
  timeoutMs: 2_000,
};

/** What a scripted bank does with one message. */
export type React = (request: Message, socket: Socket) => void;

/** A bank on a real socket that does what the test says, and a connector to it; both end with the test. */
export interface ScriptedBank {
  readonly connector: Connector;
  readonly port: number;
  readonly server: Server;
  /** What it was asked, network messages left out. */
  readonly requests: Message[];
  /** The network messages it was sent: sign on, sign off, echo. */
  readonly network: Message[];
  /** Every connection it was ever made. */
  readonly sockets: Set<Socket>;
}

/** Starts a bank that signs everybody on, unless told otherwise, and then does what the test says with each request. */
export async function startScripted(
  react: React,
  { reactToNetwork = (request, socket) => reply(socket, request, {}), ...options }: ScriptedOptions = {},
): Promise<ScriptedBank> {
  const [requests, network]: [Message[], Message[]] = [[], []];
  const sockets = new Set<Socket>();
  const take: React = (request, socket) => {
    const isNetwork = request.type === NETWORK_TYPE;
    (isNetwork ? network : requests).push(request);
    (isNetwork ? reactToNetwork : react)(request, socket);
  };
  const { server, port } = await listenScripted(take, sockets);
  return { connector: connectTo(port, options.clock, options), port, server, requests, network, sockets };
}

/** How a test wants its bank and its connector. */
export interface ScriptedOptions extends Partial<Iso8583Options> {
  readonly reactToNetwork?: React;
}

/** Listens for messages at a port, any free one unless told otherwise, until the test ends. */
export async function listenScripted(take: React, sockets = new Set<Socket>(), port = 0) {
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    serveScripted(socket, take);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : port };
}

/** Reads the messages of one connection. */
export function serveScripted(socket: Socket, take: React): void {
  const reader = createFrameReader();
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    for (const request of reader.push(chunk).map(decode)) take(request, socket);
  });
}

/** Sends a good answer to a request, with changes. */
export function reply(socket: Socket, request: Message, change: FieldValues): void {
  if (!socket.destroyed) socket.write(frame(encode(response(request, change))));
}

/** A good answer to a request, with changes. */
export function response({ type, fields }: Message, change: FieldValues): Message {
  const { 2: number, 14: expiry, 22: mode, 38: originalCode, 48: data, 90: original, ...echo } = fields;
  return {
    type: responseTypeOf(type) ?? "",
    fields: { ...echo, 38: "123456", 39: "00", 62: "000000000001", ...change },
  };
}
