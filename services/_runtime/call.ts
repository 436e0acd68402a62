import { AsyncLocalStorage } from "node:async_hooks";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Cancellation } from "./cancellation.ts";
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

/** What is known of a call when it starts. */
export interface KnownCall {
  /** The public request this belongs to, such as "req_…": the same in every service it reaches. */
  readonly requestId?: string | undefined;
  /**
   * The Idempotency-Key of that public request, as its client sent it; empty when it sent none. Undefined when no public
   * request caused this, as in the scheduler: `requestId` is then a made-up one, for the logs alone. May be set once it is known.
   */
  clientKey?: string | undefined;
  /** 32 hexadecimal digits, as in W3C Trace Context: the same in every service. */
  readonly traceId?: string | undefined;
  /** 16 hexadecimal digits: this call alone. */
  readonly spanId?: string | undefined;
  /** Who asked for it: a service, "edge", "operator", or for a public request whatever the edge says. */
  readonly caller: string;
  /** When it must have answered, in milliseconds since 1970; Infinity when nobody waits. */
  readonly deadlineMs?: number;
  /** When it started: the clock's `preciseMs`. */
  readonly startMs?: number;
  /** Where finished calls of its own are collected; undefined when nobody asked for them. May be set at any time. */
  spans?: Span[] | undefined;
}

/** What is known about the request or rpc that is being worked on, wherever in the code one is. */
export class Call implements Cancellation {
  readonly requestId: string;
  clientKey: string | undefined;
  readonly traceId: string;
  readonly spanId: string;
  readonly caller: string;
  readonly deadlineMs: number;
  readonly startMs: number;
  spans: Span[] | undefined;
  /** Why nobody waits any more; undefined while somebody does. */
  cancelReason: ConnectError | undefined = undefined;
  #listeners: Set<() => void> | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  constructor(known: KnownCall, clock: Clock) {
    this.requestId = known.requestId ?? createId("req_");
    this.clientKey = known.clientKey;
    this.traceId = known.traceId ?? randomHex(16);
    this.spanId = known.spanId ?? randomHex(8);
    this.caller = known.caller;
    this.deadlineMs = known.deadlineMs ?? Number.POSITIVE_INFINITY;
    this.startMs = known.startMs ?? clock.preciseMs();
    this.spans = known.spans;
  }

  get isCancelled(): boolean {
    return this.cancelReason !== undefined;
  }

  /** Aborted when nobody waits any more. Made when first read: most work only passes its cancellation on. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.cancelReason !== undefined) this.#controller.abort(this.cancelReason);
    }
    return this.#controller.signal;
  }

  onCancel(listener: () => void): void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  offCancel(listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  /** Cancels it, and with it the calls it has made. The first reason stays. */
  cancel(reason: ConnectError): void {
    if (this.cancelReason !== undefined) return;
    this.cancelReason = reason;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    this.#controller?.abort(reason);
    for (const listener of listeners ?? []) listener();
  }
}

const storage = new AsyncLocalStorage<Call>();

/** Does some work as part of a call: `currentCall` finds it there, and in everything that work awaits. */
export function runCall<T>(call: Call, work: () => T): T {
  return storage.run(call, work);
}

/** The call being worked on; undefined outside of any, as in a timer at start. */
export function currentCall(): Call | undefined {
  return storage.getStore();
}

/** Makes a call from what is known, and makes up the rest: new ids, no deadline. It ends when `cancel` says so. */
export function createCall(known: KnownCall, clock: Clock = systemClock): Call {
  return new Call(known, clock);
}

/** A call that goes on when the given one is cancelled, and else is the same. */
export function detachCall(call: Call): Call {
  return createCall(call);
}

/** The reason of a call that its caller gave up. */
export function callerGone(): ConnectError {
  return new ConnectError("the caller is gone", Code.Canceled);
}
