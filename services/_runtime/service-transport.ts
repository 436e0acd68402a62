import { ConnectError, type Transport } from "@connectrpc/connect";

/** What carries calls to one service: Connect's Transport, and what retries and health checks need beside it. */
export interface ServiceTransport extends Transport {
  /** Resolves to true once calls can go out, to false when they still cannot after so many milliseconds. */
  ready(withinMs: number): Promise<boolean>;
  /** Asks the service whether it is SERVING; false when no answer comes in time. Not counted as a call. */
  isServing(withinMs: number): Promise<boolean>;
  /** Lets go of the connection. */
  close(): void;
}

const unread = new WeakSet<ConnectError>();

/** Marks a failure of which the transport knows that no server has read the call. */
export function markUnread(error: ConnectError): ConnectError {
  unread.add(error);
  return error;
}

/** Says whether it is certain that no server has read the failed call: then any call may be made again. */
export function isUnread(error: unknown): boolean {
  return error instanceof ConnectError && unread.has(error);
}

/** Reads what a caller gave as headers, as pairs of a name and a value. */
export function headerPairs(headers: HeadersInit | undefined): Iterable<[string, string]> {
  if (headers === undefined) return [];
  // Our own clients give pairs: making Headers of them, to read pairs again, would cost more than the call.
  return Array.isArray(headers) ? headers : new Headers(headers).entries();
}
