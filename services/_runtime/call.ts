import { AsyncLocalStorage } from "node:async_hooks";
import { type Clock, systemClock } from "./clock.ts";
import { createId } from "./ids.ts";
import { randomHex } from "./random.ts";

/** An internal call as its caller saw it, for `Server-Timing`. */
export interface Span {
  /** The service and the rpc, such as "reader.GetPayer". */
  readonly name: string;
  /** When it started, in milliseconds since the call it belongs to did. */
  readonly startMs: number;
  readonly ms: number;
}

/** What is known about the request or rpc that is being worked on, wherever in the code one is. */
export interface Call {
  /** The public request this belongs to, such as "req_…": the same in every service it reaches. */
  readonly requestId: string;
  /**
   * The Idempotency-Key of that public request, as its client sent it; empty when it sent none. Undefined when no public
   * request caused this, as in the scheduler: `requestId` is then a made-up one, for the logs alone.
   */
  readonly clientKey: string | undefined;
  /** 32 hexadecimal digits, as in W3C Trace Context: the same in every service. */
  readonly traceId: string;
  /** 16 hexadecimal digits: this call alone. */
  readonly spanId: string;
  /** Who asked for it: a service, "edge", "operator", or for a public request whatever the edge says. */
  readonly caller: string;
  /** When it must have answered, in milliseconds since 1970; Infinity when nobody waits. */
  readonly deadlineMs: number;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
  /** When it started: the clock's `preciseMs`. */
  readonly startMs: number;
  /** Where finished calls of its own are collected; undefined when nobody asked for them. May be set at any time. */
  spans: Span[] | undefined;
}

const storage = new AsyncLocalStorage<Call>();
const neverAborted = new AbortController().signal;

/** Does some work as part of a call: `currentCall` finds it there, and in everything that work awaits. */
export function runCall<T>(call: Call, work: () => T): T {
  return storage.run(call, work);
}

/** The call being worked on; undefined outside of any, as in a timer at start. */
export function currentCall(): Call | undefined {
  return storage.getStore();
}

/** Makes a call from what is known, and makes up the rest: new ids, no deadline, a signal that never fires. */
export function createCall(known: Partial<Call> & { caller: string }, clock: Clock = systemClock): Call {
  return {
    requestId: known.requestId ?? createId("req_"),
    clientKey: known.clientKey,
    traceId: known.traceId ?? randomHex(16),
    spanId: known.spanId ?? randomHex(8),
    caller: known.caller,
    deadlineMs: known.deadlineMs ?? Number.POSITIVE_INFINITY,
    signal: known.signal ?? neverAborted,
    startMs: known.startMs ?? clock.preciseMs(),
    spans: known.spans,
  };
}
