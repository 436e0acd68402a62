import type { Call, Span } from "../services/_runtime/call.ts";
import type { Clock } from "../services/_runtime/clock.ts";
import type { OwnTime } from "../services/_runtime/concurrency-limit.ts";
import type { Route } from "./route.ts";

/** Calls that wait for systems of others, and show how busy those are. */
const OTHERS = /^(bank|mailer)\./;

// Spans cost some microseconds, and a limit needs a few samples in a quarter of a second.
const HIDDEN_SHARE = 8;

/** Measures what one request takes of Tripe's own time: without its calls to the bank and to mail servers. */
export interface Stopwatch {
  /** Where the calls of the request are collected; undefined when it is not measured. */
  spans(): Span[] | undefined;
  /** Keeps the calls from the client; of such requests one in eight is measured. */
  hide(): void;
  /** What the request took so far; undefined when it is not measured. */
  read(): OwnTime | undefined;
}

/** Makes what measures the requests of an edge, each from the moment it has a place. */
export function createStopwatches(clock: Clock): (route: Route, call: Call) => Stopwatch {
  let hiddenCount = 0;
  return (route, call) => {
    const startMs = clock.preciseMs();
    let { spans } = call;
    return {
      spans: () => spans,
      hide() {
        call.spans = undefined;
        hiddenCount += 1;
        if (hiddenCount % HIDDEN_SHARE !== 0) spans = undefined;
      },
      read() {
        if (spans === undefined) return undefined;
        return { kind: `${route.method} ${route.path}`, ownMs: ownMsOf(spans, clock.preciseMs() - startMs) };
      },
    };
  };
}

function ownMsOf(spans: readonly Span[], elapsedMs: number): number {
  const othersMs = spans.reduce((sum, { name, ms }) => sum + (OTHERS.test(name) ? ms : 0), 0);
  return Math.max(0, elapsedMs - othersMs);
}
