import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Target } from "./resolve-target.ts";

/** What a server answered. Its body is read, and nobody's. */
export interface Answer {
  readonly status: number;
  /** The Retry-After header as it was sent. */
  readonly retryAfter: string | undefined;
}

// 4-billing.md: what a server says besides its status is nothing to us, but one that is cut off while it still writes may
// take that for a failure of its own.
const BODY_MAX_BYTES = 65_536;

/**
 * Posts once, to one of the target's checked addresses, over a connection of its own. Answers as soon as the status is
 * known and the body is over, too long, or out of time; rejects when no status was heard. Redirects are answers.
 */
export function post(
  target: Target,
  { headers, body, signal }: { headers: Readonly<Record<string, string>>; body: Uint8Array; signal: AbortSignal },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = openRequest(target, headers, signal);
    request.on("error", reject);
    request.on("response", (response) => {
      const answer = { status: response.statusCode ?? 0, retryAfter: response.headers["retry-after"] };
      // From here on nothing that breaks can unsay the status; the end of time is told to the request first.
      request.off("error", reject).on("error", () => resolve(answer));
      drain(response, () => {
        // Frees the socket too when the body was not read to its end.
        request.destroy();
        resolve(answer);
      });
    });
    // A server that changes the protocol unasked: without a listener Node closes the connection and says nothing at all.
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, retryAfter: undefined });
    });
    request.end(body);
  });
}

function openRequest({ url, host, addresses }: Target, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
  const open: typeof requestHttp = url.protocol === "https:" ? requestHttps : requestHttp;
  const lookup: LookupFunction = (_host, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family ?? 0);
  };
  const request: ClientRequest = open({
    method: "POST",
    host,
    port: url.port,
    path: `${url.pathname}${url.search}`,
    headers: { ...headers },
    // A connection kept for another time would skip the check of the address.
    agent: false,
    lookup,
    signal,
    // A certificate is for a name; for an address there is none to ask for.
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  return request;
}

function drain(response: IncomingMessage, onEnd: () => void): void {
  let readBytes = 0;
  response.on("data", (chunk: Buffer) => {
    readBytes += chunk.length;
    if (readBytes > BODY_MAX_BYTES) onEnd();
  });
  response.on("error", onEnd);
  response.on("close", onEnd);
}
