import { once } from "node:events";
import { type IncomingHttpHeaders, request as requestHttp } from "node:http";
import type { RequestOptions } from "node:https";
import { text } from "node:stream/consumers";
import { readShownCertificate, type ShownCertificate } from "./edge-certificate.ts";

/** One request to an edge. */
export interface EdgeRequest {
  readonly path: string;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** What it answered. */
export interface EdgeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Asks one edge. Rejects when there is no answer, or when another than this edge is at the address. */
export type AskEdge = (asked: EdgeRequest) => Promise<EdgeAnswer>;

/** Where an edge of this Tripe is: its origin, and over HTTPS the file of the certificate that it shows. */
export interface EdgePlace {
  readonly url: string;
  readonly certFile: string | undefined;
}

/** As many as an edge may show while its certificate is renewed: the one in the file, and the one before. */
const TRUSTED_MAX = 2;

/**
 * Makes the way by which the supervisor and the tools ask the edge beside them. Over HTTPS they accept the certificate of
 * TRIPE_TLS_CERT and no other, whoever signed it and whatever name it is for: they connect to an address of this machine.
 */
export function createAskEdge({ url, certFile }: EdgePlace): AskEdge {
  const isTls = url.startsWith("https:");
  const readTrusted = certFile === undefined || !isTls ? () => Promise.resolve({}) : createTrust(certFile);
  // node:http rather than fetch, whose first use costs a process a fifth of its start.
  return async ({ path, method = "GET", headers, body, signal }) => {
    const open = isTls ? (await import("node:https")).request : requestHttp;
    const trust = await readTrusted();
    const sized = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const options = { method, agent: false as const, headers: { ...headers, ...sized }, ...(signal && { signal }) };
    const request = open(`${url}${path}`, { ...options, ...trust });
    request.end(body);
    const [answer] = await once(request, "response");
    return { status: answer.statusCode, headers: answer.headers, text: await text(answer) };
  };
}

/** Says what is wrong with the certificate that was shown; undefined when that is not why an edge was not asked. */
export function describeCertificateProblem(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (error instanceof Error && error.message.startsWith("TRIPE_TLS_CERT:")) return error.message;
  return problems[code];
}

const OTHER_CERTIFICATE = "what answers there shows another certificate than TRIPE_TLS_CERT";

/** Codes of OpenSSL, and the one of `createTrust`. */
const problems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the certificate of TRIPE_TLS_CERT has expired",
  CERT_NOT_YET_VALID: "the certificate of TRIPE_TLS_CERT is not valid yet",
  OTHER_CERTIFICATE,
  DEPTH_ZERO_SELF_SIGNED_CERT: OTHER_CERTIFICATE,
  SELF_SIGNED_CERT_IN_CHAIN: OTHER_CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT: OTHER_CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OTHER_CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OTHER_CERTIFICATE,
};

type Trust = Pick<RequestOptions, "ca" | "allowPartialTrustChain" | "checkServerIdentity">;

/** Reads the file anew each time, as it may be renewed; while it cannot be used, those that were read before stay trusted. */
function createTrust(certFile: string): () => Promise<Trust> {
  let trusted: readonly ShownCertificate[] = [];
  return async () => {
    const found = await readShownCertificate(certFile).catch((error: unknown) => {
      if (trusted.length === 0) throw error;
      return undefined;
    });
    if (found !== undefined && found.cert !== trusted[0]?.cert) trusted = [found, ...trusted].slice(0, TRUSTED_MAX);
    const fingerprints = trusted.map(({ leaf }) => leaf.fingerprint256);
    return {
      ca: trusted.map(({ cert }) => cert),
      // Without it OpenSSL looks for the authority that signed, which this machine need not know.
      allowPartialTrustChain: true,
      checkServerIdentity: (_host, shown) =>
        fingerprints.includes(shown.fingerprint256)
          ? undefined
          : Object.assign(new Error(OTHER_CERTIFICATE), { code: "OTHER_CERTIFICATE" }),
    };
  };
}
