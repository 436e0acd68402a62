import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../services/_runtime/clock.ts";
import type { AcceptedOf } from "./accepted-sockets.ts";
import { clientOf } from "./client-address.ts";

/** How many connections there may be. */
export interface ConnectionLimits {
  /** In all. */
  readonly max: number;
  /** Of one client (client-address.ts). */
  readonly ofClientMax: number;
  /** Beyond `max`, for those who ask for nothing but health. */
  readonly forHealthMax: number;
  /** How long a TLS handshake may take. */
  readonly handshakeMs: number;
  /** How long an idle connection is kept on which no good key has come; after one, the server's keepAliveTimeout. */
  readonly strangerIdleMs: number;
}

/** The connections of the public API. */
export interface Connections {
  /** Notes that a good key came on a connection. */
  welcome(socket: Socket): void;
  /** Whether no good key has come on a connection yet. */
  isStranger(socket: Socket): boolean;
  /** Whether a connection was let in beyond the limit, to ask for health. */
  isForHealth(socket: Socket): boolean;
  /** Whether a request was sent while so many of its connection were in progress that no more are begun. */
  isOneTooMany(request: IncomingMessage): boolean;
}

interface Connection {
  /** The socket that the server accepted. */
  readonly accepted: Socket;
  /** What requests come on: the accepted socket, or once its handshake is done the TLS socket over it. */
  socket: Socket;
  readonly client: string;
  readonly openedMs: number;
  readonly isForHealth: boolean;
  /** A good key came on it, or a trusted proxy is at its other end. */
  isWelcome: boolean;
  requestsCount: number;
}

// A request's first milliseconds are nobody's fault: a connection is only closed in the middle of one when it takes long.
const SLOW_MS = 1_000;

// The SDK sends a request when the one before it was answered; HTTP/1.1 lets others send more at once.
const REQUESTS_OF_CONNECTION_MAX = 16;

/** What limiting takes; `acceptedOf` finds the socket that was accepted beneath a TLS socket. */
export interface LimitOptions {
  readonly limits: ConnectionLimits;
  readonly isTrusted: (address: string) => boolean;
  readonly clock: Clock;
  readonly acceptedOf: AcceptedOf;
}

/**
 * Limits a server's connections. Where there is no room for a new one, the oldest is closed on which nothing goes on and no
 * good key has come; else one whose request without a good key takes long; else one with a good key on which nothing goes on.
 * Connections of a trusted proxy are counted in all, and by no client: they are many clients'.
 * Over TLS a connection counts from the moment it is accepted; until its handshake is done it is one on which nothing goes on.
 */
export function limitConnections(server: Server, { limits, isTrusted, clock, acceptedOf }: LimitOptions): Connections {
  // By the accepted socket, in the order in which they were opened.
  const all = new Map<Socket, Connection>();
  const find = (socket: Socket) => all.get(acceptedOf(socket) ?? socket);
  const byClient = new Map<string, Set<Connection>>();
  let forHealthCount = 0;
  const remove = (connection: Connection) => {
    if (!all.delete(connection.accepted)) return;
    if (connection.isForHealth) forHealthCount -= 1;
    const others = byClient.get(connection.client);
    others?.delete(connection);
    if (others?.size === 0) byClient.delete(connection.client);
  };
  const makeRoom = (candidates: Iterable<Connection>): boolean => {
    const worst = findWorst(candidates, clock.nowMs());
    if (worst === undefined) return false;
    remove(worst);
    worst.socket.destroy();
    return true;
  };
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const isProxy = isTrusted(address);
    const client = isProxy ? "" : clientOf(address);
    const own = byClient.get(client) ?? new Set();
    const hasRoom =
      (isProxy || own.size < limits.ofClientMax || makeRoom(own)) && (all.size < limits.max || makeRoom(all.values()));
    if (!hasRoom && forHealthCount >= limits.forHealthMax) {
      socket.destroy();
      return;
    }
    const connection: Connection = {
      accepted: socket,
      socket,
      client,
      openedMs: clock.nowMs(),
      isForHealth: !hasRoom,
      isWelcome: isProxy,
      requestsCount: 0,
    };
    all.set(socket, connection);
    if (!hasRoom) forHealthCount += 1;
    if (!isProxy) byClient.set(client, (byClient.get(client) ?? new Set()).add(connection));
    socket.once("close", () => remove(connection));
  });
  // Before Node's own listener, which begins to read requests. A connection that was closed meanwhile is none any more.
  server.prependListener("secureConnection", (socket: Socket) => {
    const connection = find(socket);
    if (connection === undefined) socket.destroy();
    else connection.socket = socket;
  });
  const tooMany = countRequests(server, find, limits.strangerIdleMs);
  return {
    welcome(socket) {
      const connection = find(socket);
      if (connection !== undefined) connection.isWelcome = true;
    },
    isStranger: (socket) => find(socket)?.isWelcome === false,
    isForHealth: (socket) => find(socket)?.isForHealth === true,
    isOneTooMany: (request) => tooMany.has(request),
  };
}

/** Counts the requests in progress of each connection; gives those that were one too many. */
function countRequests(
  server: Server,
  find: (socket: Socket) => Connection | undefined,
  strangerIdleMs: number,
): WeakSet<IncomingMessage> {
  const tooMany = new WeakSet<IncomingMessage>();
  // Before the app's own listener, and thus before its hooks.
  server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
    const connection = find(request.socket);
    if (connection === undefined) return;
    connection.requestsCount += 1;
    if (connection.requestsCount > REQUESTS_OF_CONNECTION_MAX) tooMany.add(request);
    response.once("close", () => {
      connection.requestsCount -= 1;
      // Node has set the time for which it keeps every idle connection; this listener comes after its own.
      if (!connection.isWelcome && connection.requestsCount === 0) connection.socket.setTimeout(strangerIdleMs);
    });
  });
  return tooMany;
}

function findWorst(candidates: Iterable<Connection>, nowMs: number): Connection | undefined {
  let slow: Connection | undefined;
  let idle: Connection | undefined;
  for (const connection of candidates) {
    const { isWelcome, requestsCount, openedMs } = connection;
    if (requestsCount === 0 && !isWelcome) return connection;
    if (requestsCount === 0) idle ??= connection;
    else if (!isWelcome && nowMs - openedMs > SLOW_MS) slow ??= connection;
  }
  return slow ?? idle;
}
