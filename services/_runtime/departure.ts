import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Call, createCall, currentCall } from "./call.ts";
import type { ClientOptions } from "./client.ts";
import { deadlineOf } from "./deadlines.ts";
import { codeName, refusalOf, refuse } from "./errors.ts";
import { formatTraceparent, headerNames } from "./headers.ts";
import { randomHex } from "./random.ts";
import { decodeSpans, round } from "./timing.ts";
import { mayCall as mayCallByTopology, type ServiceName } from "./topology.ts";

/** A call that goes out, from its first try to its last. */
export interface Departure {
  /** When it must have ended, in milliseconds since 1970. */
  readonly deadlineMs: number;
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** Starts a try; throws DEADLINE_EXCEEDED when no time is left for one. */
  attempt(): Attempt;
}

/** One try of a call. */
export interface Attempt {
  readonly timeoutMs: number;
  readonly headers: [string, string][];
  /** Ends the try well. The trailer is asked for only when somebody wants the times in it. */
  succeed(response: { readonly trailer: Headers }): void;
  /** Ends the try badly. */
  fail(error: unknown): void;
}

/** Starts a call to the service of that name; refuses one that the topology does not list. */
export function depart(from: {
  name: ServiceName;
  method: DescMethod;
  timeoutMs: number | undefined;
  signal: AbortSignal | undefined;
  options: ClientOptions;
}): Departure {
  const { name, method, signal } = from;
  const { caller, clock, mayCall = mayCallByTopology } = from.options;
  if (!mayCall(caller, name, method.name)) {
    refuse(Code.PermissionDenied, "CALLER_NOT_ALLOWED", `${caller} may not call ${name}.${method.name}`);
  }
  const parent = currentCall() ?? createCall({ caller }, clock);
  const deadlineMs = deadlineOf({
    rpc: method.name,
    nowMs: clock.nowMs(),
    callerDeadlineMs: parent.deadlineMs,
    timeoutMs: from.timeoutMs,
  });
  return {
    deadlineMs,
    signal: signal === undefined ? parent.signal : AbortSignal.any([parent.signal, signal]),
    attempt() {
      const timeoutMs = deadlineMs - clock.nowMs();
      if (timeoutMs <= 0) throw new ConnectError(`no time is left to call ${name}`, Code.DeadlineExceeded);
      return createAttempt({ name, rpc: method.name, parent, timeoutMs, options: from.options });
    },
  };
}

function createAttempt(from: {
  name: ServiceName;
  rpc: string;
  parent: Call;
  timeoutMs: number;
  options: ClientOptions;
}): Attempt {
  const { name, rpc, parent, timeoutMs } = from;
  const { caller, clock, log, observe } = from.options;
  const spanId = randomHex(8);
  const startMs = clock.preciseMs();
  const finish = (code: string, trailer: () => Headers): number => {
    const ms = clock.preciseMs() - startMs;
    observe?.({ caller, service: name, rpc, startMs, ms, code });
    if (parent.spans !== undefined) {
      const offsetMs = startMs - parent.startMs;
      parent.spans.push({ name: `${name}.${rpc}`, startMs: offsetMs, ms });
      parent.spans.push(...decodeSpans(trailer().get(headerNames.timing) ?? "", offsetMs));
    }
    return ms;
  };
  return {
    timeoutMs,
    headers: headersOf(caller, parent, spanId),
    succeed: (response) => {
      finish("ok", () => response.trailer);
    },
    fail(error) {
      const failure = ConnectError.from(error);
      const code = codeName(failure.code);
      const ms = finish(code, () => failure.metadata);
      const reason = refusalOf(failure)?.reason;
      log.rpc({
        request_id: parent.requestId,
        trace_id: parent.traceId,
        span_id: spanId,
        parent_id: parent.spanId,
        caller,
        service: name,
        rpc,
        start_ms: round(startMs),
        ms: round(ms),
        code,
        ...(reason === undefined ? {} : { reason }),
        side: "client",
      });
    },
  };
}

function headersOf(caller: string, parent: Call, spanId: string): [string, string][] {
  const headers: [string, string][] = [
    [headerNames.caller, caller],
    [headerNames.requestId, parent.requestId],
    [headerNames.traceparent, formatTraceparent({ traceId: parent.traceId, spanId })],
    [headerNames.parentId, parent.spanId],
  ];
  if (parent.clientKey !== undefined) headers.push([headerNames.clientKey, parent.clientKey]);
  if (parent.spans !== undefined) headers.push([headerNames.timing, "1"]);
  return headers;
}
