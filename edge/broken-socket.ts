import { type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { AcceptedOf } from "./accepted-sockets.ts";
import type { Problem } from "./problem.ts";
import { badHttp, plainHttp } from "./problems.ts";
import { envelopeOf } from "./respond.ts";
import { methodNotAllowed } from "./url-problems.ts";

/** Answers what was no HTTP, took too long or had too many headers, with the envelope, before any route is known. */
export function answerBrokenSocket(error: Error & { code?: string }, socket: Duplex, requestId: string): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  endWith(socket, badHttp(statusOf(error.code)), requestId);
}

/** Answers with the envelope what Node would refuse by itself: an expectation that nothing meets, and CONNECT. */
export function answerRefusedHttp(server: Server, createRequestId: () => string): void {
  server.on("checkExpectation", (_request, response) => {
    const { body, headers } = rawAnswer(badHttp(417), createRequestId());
    response.writeHead(417, headers).end(body);
  });
  server.on("connect", ({ method = "" }, socket) => {
    socket.on("error", () => socket.destroy());
    endWith(socket, methodNotAllowed(method, ["DELETE", "GET", "HEAD", "POST"]), createRequestId());
  });
}

/** Closes what sends no TLS handshake, or none in time, to a TLS server; plain HTTP is answered in words. */
export function refuseHandshakes(server: Server, acceptedOf: AcceptedOf, createRequestId: () => string): void {
  // Before Node's own listener, which would hand the socket to `answerBrokenSocket`, and that can write nothing to it.
  server.prependListener("tlsClientError", (error: Error & { code?: string }, socket: TLSSocket) => {
    const accepted = error.code === "ERR_SSL_HTTP_REQUEST" ? acceptedOf(socket) : undefined;
    if (accepted !== undefined) endWith(accepted, plainHttp(), createRequestId());
    socket.destroy();
  });
}

function endWith(socket: Duplex, problem: Problem, requestId: string): void {
  const { status } = problem;
  const { body, headers } = rawAnswer(problem, requestId);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
}

function rawAnswer(problem: Problem, requestId: string): { body: string; headers: Record<string, string> } {
  const body = JSON.stringify(envelopeOf(problem));
  const headers = {
    ...problem.headers,
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    "request-id": requestId,
    "x-content-type-options": "nosniff",
    connection: "close",
  };
  return { body, headers };
}

function statusOf(code: string | undefined): number {
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
}
