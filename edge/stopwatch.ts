import type { FastifyReply } from "fastify";
import type { Call, Span } from "../services/_runtime/call.ts";
import type { Clock } from "../services/_runtime/clock.ts";
import type { OwnTime } from "../services/_runtime/concurrency-limit.ts";
import { ownMsOf } from "../services/_runtime/own-time.ts";
import { serverTiming } from "../services/_runtime/timing.ts";
import type { Route } from "./route.ts";

// Spans cost some microseconds, and a limit needs a few samples in a quarter of a second.
const HIDDEN_SHARE = 8;

/** Measures what one request takes of Tripe's own time: without its calls to the bank and to mail servers. */
export interface Stopwatch {
  /** Keeps the calls of the request from its client; of such requests one in eight is measured. */
  hide(): void;
  /** The calls that its client may see; undefined when they are kept from it. */
  shown(): readonly Span[] | undefined;
  /** What the request took so far; undefined when it is not measured. */
  read(): OwnTime | undefined;
}

/** Makes what measures the requests of an edge, each from now on. */
export function createStopwatches(clock: Clock): (route: Route, call: Call) => Stopwatch {
  let hiddenCount = 0;
  return ({ operationId: kind }, call) => {
    const startMs = clock.preciseMs();
    let isHidden = false;
    return {
      hide() {
        isHidden = true;
        hiddenCount += 1;
        if (hiddenCount % HIDDEN_SHARE !== 0) call.spans = undefined;
      },
      shown: () => (isHidden ? undefined : call.spans),
      read() {
        if (call.spans === undefined) return undefined;
        return { kind, ownMs: ownMsOf(call.spans, clock.preciseMs() - startMs) };
      },
    };
  };
}

/** Shows a client what its request was made of, unless that is kept from it. */
export function addTiming(reply: FastifyReply, stopwatch: Stopwatch): void {
  const spans = stopwatch.shown();
  if (spans !== undefined && spans.length > 0) reply.header("server-timing", serverTiming(spans));
}
