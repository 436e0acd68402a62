import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TlsOptions } from "node:tls";
import type { EdgeCertificate } from "../services/_runtime/edge-certificate.ts";

// 7-reliability.md, "Limits".
const HEADER_MAX_BYTES = 16_384;
const REQUEST_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 5_000;
// How often Node looks for connections past these timeouts: with 2 s a slow-loris is gone after 12 at most.
const TIMEOUT_CHECK_MS = 2_000;
// The SDK keeps sockets for 60 s; closing an idle one under it costs a retry.
const KEEP_ALIVE_MS = 72_000;

/** The certificate of a server, as PEM. */
export interface ServerCertificate extends Pick<EdgeCertificate, "cert" | "key"> {
  /** How long it holds; after a renewal, how long the new one does. */
  readonly validity?: () => Validity;
}

/** From when to when, in milliseconds since 1970. */
export interface Validity {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a server speaks: HTTP/1.1, with a certificate over TLS. */
export interface HttpServerOptions {
  readonly certificate?: ServerCertificate | undefined;
  /** How long a TLS handshake may take. */
  readonly handshakeMs: number;
}

/** Makes the server of the public API, with its limits on the time and the size of requests. */
export function createHttpServer(listener: RequestListener, { certificate, handshakeMs }: HttpServerOptions): Server {
  const options = {
    maxHeaderSize: HEADER_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Refused by a hook instead, with the envelope.
    requireHostHeader: false,
  };
  if (certificate === undefined) return createServer(options, listener);
  return createTlsServer({ ...options, ...tlsOptionsOf(certificate), handshakeTimeout: handshakeMs }, listener);
}

/** What a server's secure context is made of. */
export function tlsOptionsOf({ cert, key }: ServerCertificate): TlsOptions {
  // RFC 8996 and PCI DSS forbid what is older.
  return { cert, key, minVersion: "TLSv1.2" };
}
