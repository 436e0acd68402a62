import { Metadata } from "@grpc/grpc-js";
import type { CallFacts } from "./call-facts.ts";

/** The metadata of every internal call. */
export const headerNames = {
  /** Who calls: a name of the topology. Over gRPC it proves nothing: the server puts what was proved in its place. */
  caller: "tripe-caller",
  /** "Bearer " and the token that proves the caller, over sockets. */
  authorization: "authorization",
  requestId: "tripe-request-id",
  /** The client's own Idempotency-Key, possibly empty; absent when no public request caused the call. */
  clientKey: "tripe-client-key",
  /** W3C Trace Context; its span is the one of this very call, made by the caller. */
  traceparent: "traceparent",
  /** The span of the work that makes this call: traceparent has no room for it. */
  parentId: "tripe-parent-id",
  /** In a request "1" asks for spans; in a trailer they come back. */
  timing: "tripe-timing",
  /** gRPC's own word; "-1" says: do not try again, it has been tried. */
  pushback: "grpc-retry-pushback-ms",
} as const;

/** What tells one call from another, as it travels. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
}

/** Reads a traceparent header; undefined when it is absent or not of version 00 (then a new trace is begun). */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(text ?? "");
  const [, traceId, spanId] = match ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId };
}

/** Writes a traceparent header; 01: the trace is recorded. */
export function formatTraceparent({ traceId, spanId }: TraceContext): string {
  return `00-${traceId}-${spanId}-01`;
}

/** Reads the facts of a call out of its metadata; `header` finds one by its name in lower case. */
export function readFacts(header: (name: string) => string | undefined): CallFacts {
  const trace = parseTraceparent(header(headerNames.traceparent));
  const parentId = header(headerNames.parentId);
  return {
    requestId: header(headerNames.requestId),
    clientKey: header(headerNames.clientKey),
    traceId: trace?.traceId,
    // Our own clients make up the span of the call they make and name its parent beside it; others' span is the parent.
    spanId: parentId === undefined ? undefined : trace?.spanId,
    parentId: parentId ?? trace?.spanId ?? "",
    wantsTiming: header(headerNames.timing) === "1",
  };
}

/** Writes the facts of a call, and the name its caller claims, as pairs of a header's name and its value. */
export function factPairs(caller: string | undefined, facts: CallFacts): [string, string][] {
  const { requestId, clientKey, traceId, spanId, parentId, wantsTiming } = facts;
  const pairs: [string, string][] = [];
  if (caller !== undefined) pairs.push([headerNames.caller, caller]);
  if (requestId !== undefined) pairs.push([headerNames.requestId, requestId]);
  if (traceId !== undefined && spanId !== undefined) {
    pairs.push([headerNames.traceparent, formatTraceparent({ traceId, spanId })], [headerNames.parentId, parentId]);
  }
  if (clientKey !== undefined) pairs.push([headerNames.clientKey, clientKey]);
  if (wantsTiming) pairs.push([headerNames.timing, "1"]);
  return pairs;
}

// What belongs to gRPC or HTTP/2 rather than to a call, and is not copied.
const protocolHeader =
  /^(?:te|host|connection|content-type|user-agent|date|trailer|grpc-(?!status-details-bin|retry).*)$/;

/** Copies headers into grpc-js's metadata: there a "-bin" value is a Buffer, here it is unpadded base64. */
export function toMetadata(headers: Iterable<[string, string]>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of headers) {
    if (protocolHeader.test(key)) continue;
    if (!key.endsWith("-bin")) metadata.add(key, value);
    else for (const part of value.split(",")) metadata.add(key, Buffer.from(part.trim(), "base64"));
  }
  return metadata;
}

/** Copies grpc-js's metadata into headers. */
export function toHeaders(metadata: Metadata): Headers {
  const headers = new Headers();
  for (const [key, values] of Object.entries(metadata.toJSON())) {
    if (protocolHeader.test(key)) continue;
    for (const value of values) headers.append(key, Buffer.isBuffer(value) ? toBase64(value) : value);
  }
  return headers;
}

/** The first value of a key that holds text; undefined when there is none. */
export function firstText(metadata: Metadata, key: string): string | undefined {
  const [value] = metadata.get(key);
  return typeof value === "string" ? value : undefined;
}

function toBase64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
