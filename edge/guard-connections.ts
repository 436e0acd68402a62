import { readFileSync } from "node:fs";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type ConnectionLimits, type Connections, type LimitOptions, limitConnections } from "./connections.ts";
import { badHttp, overloaded, tooManyAtOnce } from "./problems.ts";

const usual: ConnectionLimits = {
  // Ten times what may be in progress: most connections of SDKs are idle. A socket costs some 10 KB.
  max: 2_560,
  // A large merchant's machines behind one address; three such leave room for others.
  ofClientMax: 768,
  // Probes of some load balancers at once.
  forHealthMax: 32,
  // Two round trips; a phone on a bad line takes a second or two. As HEADERS_TIMEOUT_MS (http-server.ts).
  handshakeMs: 5_000,
  // A person's next click; a program that has a key sends it with its first request.
  strangerIdleMs: 5_000,
};

// Connections that are being closed count for Node until they are gone.
const CLOSING_MAX = 256;

// What a process holds beside its clients: connections to services, files, libraries.
const OTHER_FILES_MAX = 256;

/** The limits of one edge, whose process may hold so many open files: a small `ulimit -n` leaves fewer connections. */
export function connectionLimitsOf(openFilesMax: number): ConnectionLimits {
  const left = openFilesMax - usual.forHealthMax - CLOSING_MAX - OTHER_FILES_MAX;
  // Sixteen at least: with fewer it is no server, whatever the machine allows.
  const max = Math.max(16, Math.min(usual.max, left));
  return { ...usual, max, ofClientMax: Math.min(usual.ofClientMax, Math.ceil(max * 0.3)) };
}

/** How many open files this process may hold; Infinity where the system has no /proc. Node raises it to the hard limit at its start. */
export function readOpenFilesMax(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

const healthPaths: ReadonlySet<string> = new Set(["/healthz", "/livez", "/readyz"]);

/** Limits the connections of an app, and refuses what a connection may not ask. */
export function guardConnections(app: FastifyInstance, { limits, ...options }: LimitOptions): Connections {
  const connections = limitConnections(app.server, { limits, ...options });
  app.server.maxConnections = limits.max + limits.forHealthMax + CLOSING_MAX;
  app.addHook("onRequest", (request, reply, done) => {
    const { socket, httpVersion } = request.raw;
    if (connections.isForHealth(socket)) {
      // Whatever it asked: the place is for the next one who asks for health.
      reply.header("connection", "close");
      if (!healthPaths.has(pathOf(request))) return done(overloaded());
    }
    if (connections.isOneTooMany(request.raw)) return done(tooManyAtOnce());
    // RFC 9112, 3.2. Node would refuse it without the envelope.
    if (httpVersion === "1.1" && request.headers.host === undefined) return done(badHttp(400));
    return done();
  });
  app.addHook("onSend", (request, reply, _payload, done) => {
    if (connections.isStranger(request.raw.socket) && reply.raw.shouldKeepAlive && !reply.hasHeader("connection")) {
      reply.header("connection", "keep-alive").header("keep-alive", `timeout=${limits.strangerIdleMs / 1_000}`);
    }
    done();
  });
  return connections;
}

function pathOf({ url }: FastifyRequest): string {
  return url.split("?", 1)[0] ?? "";
}
