import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { FastifyInstance } from "fastify";
import { afterAll } from "vitest";

/** A connection to an edge, as bytes. */
export interface RawClient {
  readonly socket: Socket;
  /** All that has come so far. */
  text(): string;
  /** Resolves when the connection is closed, with all that came. */
  readonly closed: Promise<string>;
  /** Sends bytes and resolves once what has come since matches. */
  send(bytes: string, until: RegExp): Promise<string>;
}

/** Listens on a port of its own, of loopback; gives the port. */
export async function listenOn(app: FastifyInstance): Promise<number> {
  if (!app.server.listening) await app.listen({ host: "127.0.0.1", port: 0 });
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/**
 * Opens a connection, from another address of loopback if asked to, and over TLS where an authority is given to trust; it is
 * closed with the file's tests.
 */
export function openSocket(port: number, localAddress = "127.0.0.1", ca?: string): Promise<RawClient> {
  return new Promise((resolve) => {
    const place = { port, host: "127.0.0.1", localAddress };
    const socket = ca === undefined ? connect(place) : connectTls({ ...place, ca, servername: "localhost" });
    let text = "";
    const closed = new Promise<string>((end) => socket.once("close", () => end(text)));
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    // A connection that was refused at once is a closed one.
    socket.on("error", () => socket.destroy());
    afterAll(() => {
      socket.destroy();
    });
    const send = (bytes: string, until: RegExp) =>
      new Promise<string>((found, lost) => {
        text = "";
        const look = () => {
          if (!until.test(text)) return;
          socket.off("data", look).off("close", end);
          found(text);
        };
        const end = () => lost(new Error(`closed after: ${text}`));
        socket.on("data", look).once("close", end);
        socket.write(bytes);
      });
    const client = { socket, text: () => text, closed, send };
    socket.once(ca === undefined ? "connect" : "secureConnect", () => resolve(client));
    socket.once("close", () => resolve(client));
  });
}
