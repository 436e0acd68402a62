import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { type Call, createCall, runCall } from "./call.ts";
import type { Clock } from "./clock.ts";
import { defaultTimeoutMs } from "./deadlines.ts";
import { codeName, refusalOf, refuse, toPublicError } from "./errors.ts";
import { headerNames, parseTraceparent } from "./headers.ts";
import type { Log } from "./log.ts";
import { encodeSpans, round } from "./timing.ts";
import type { CallerName, MayCall, ServiceName } from "./topology.ts";

/** An rpc as a transport hands it over. */
export interface Incoming {
  readonly method: DescMethod;
  /** One header by its name in lower case. */
  header(name: string): string | undefined;
  /** All headers; made only when a handler asks. */
  headers(): Headers;
  /** When the caller stops waiting, in milliseconds since 1970 of the host's clock; undefined when it did not say. */
  readonly deadlineMs: number | undefined;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal | undefined;
  /** Who calls, as the transport has proved; undefined when nothing was proved. What a caller says of itself counts for nothing. */
  readonly caller: CallerName | undefined;
}

/** A call that has come in, from its first moment to its log line. */
export interface Arrival {
  readonly context: HandlerContext;
  /** Throws when this caller may not make this call, or nobody waits for it any more. */
  admit(): void;
  /** Does work as part of the call, and gives up waiting for it at the deadline or when the caller is gone. */
  within<T>(work: () => T | Promise<T>): Promise<T>;
  /** Ends the call well; hands back the headers and trailers there are. */
  succeed(): { header: Headers | undefined; trailer: Headers | undefined };
  /** Ends the call badly; hands back what its caller may see. */
  fail(error: unknown): ConnectError;
}

/** What health asks every second while somebody asks for health: a good answer is no line in the log. */
const routineRpcs: ReadonlySet<string> = new Set(["CheckDatabase", "CountAlerts", "GetOldestDue", "GetStatus"]);

/** Starts a call that has come in for the service of that name. */
export function receive({
  incoming,
  name,
  log,
  clock,
  mayCall,
}: {
  incoming: Incoming;
  name: ServiceName;
  log: Log;
  clock: Clock;
  mayCall: MayCall;
}): Arrival {
  const { method } = incoming;
  const nowMs = clock.nowMs();
  const deadlineMs = incoming.deadlineMs ?? nowMs + defaultTimeoutMs(method.name);
  const ending = watchEnd(incoming, deadlineMs, clock);
  const call = readCall({ incoming, deadlineMs, signal: ending.signal, clock });
  const { context, touched } = createContext({ incoming, deadlineMs, signal: ending.signal, clock });
  const trailer = () => {
    if (call.spans !== undefined && call.spans.length > 0) {
      context.responseTrailer.set(headerNames.timing, encodeSpans(call.spans));
    }
    return touched().trailer;
  };
  let finished = false;
  const finish = (code: string, reason?: string) => {
    if (finished) return;
    finished = true;
    ending.stop();
    if (code === "ok" && routineRpcs.has(method.name)) return;
    log.rpc({
      request_id: call.requestId,
      trace_id: call.traceId,
      span_id: call.spanId,
      parent_id: parentOf(incoming),
      caller: call.caller,
      service: name,
      rpc: method.name,
      start_ms: round(call.startMs),
      ms: round(clock.preciseMs() - call.startMs),
      code,
      ...(reason === undefined ? {} : { reason }),
    });
  };
  return {
    context,
    admit: () => {
      checkCaller(incoming, name, mayCall);
      ending.signal.throwIfAborted();
    },
    within: (work) => untilAborted(ending.signal, () => runCall(call, work)),
    succeed() {
      finish("ok");
      return { header: touched().header, trailer: trailer() };
    },
    fail(error) {
      const shown = toPublicError(error, ending.signal);
      if (shown.code === Code.Internal) {
        log.error("a call failed", error, { request_id: call.requestId, service: name, rpc: method.name });
      }
      finish(codeName(shown.code), refusalOf(shown)?.reason);
      return toOutgoing(shown, trailer());
    },
  };
}

/** The caller in the log line of a call that came without proof. */
const UNPROVEN = "unproven";

function checkCaller(incoming: Incoming, name: ServiceName, mayCall: MayCall): void {
  const { caller, method } = incoming;
  if (caller === undefined) refuse(Code.Unauthenticated, "CALLER_NOT_PROVEN", "the caller does not prove its name");
  if (mayCall(caller, name, method.name)) return;
  refuse(Code.PermissionDenied, "CALLER_NOT_ALLOWED", `${caller} may not call ${name}.${method.name}`);
}

function readCall(from: { incoming: Incoming; deadlineMs: number; signal: AbortSignal; clock: Clock }): Call {
  const { incoming, deadlineMs, signal, clock } = from;
  const trace = parseTraceparent(incoming.header(headerNames.traceparent));
  const requestId = incoming.header(headerNames.requestId);
  const clientKey = incoming.header(headerNames.clientKey);
  // Our own clients make up the span of the call they make and name its parent beside it; others' span is the parent.
  const isOurs = incoming.header(headerNames.parentId) !== undefined;
  return createCall(
    {
      caller: incoming.caller ?? UNPROVEN,
      deadlineMs,
      signal,
      spans: incoming.header(headerNames.timing) === "1" ? [] : undefined,
      ...(requestId === undefined ? {} : { requestId }),
      ...(clientKey === undefined ? {} : { clientKey }),
      ...(trace === undefined ? {} : { traceId: trace.traceId }),
      ...(trace === undefined || !isOurs ? {} : { spanId: trace.spanId }),
    },
    clock,
  );
}

function parentOf(incoming: Incoming): string {
  const named = incoming.header(headerNames.parentId);
  return named ?? parseTraceparent(incoming.header(headerNames.traceparent))?.spanId ?? "";
}

/** A signal that is aborted at the deadline or when the caller is gone, always with a ConnectError as its reason. */
function watchEnd(incoming: Incoming, deadlineMs: number, clock: Clock): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const late = () => controller.abort(new ConnectError("the deadline has passed", Code.DeadlineExceeded));
  const gone = () => {
    // grpc-js cancels a call at its deadline: that too is a deadline, whichever timer fires first.
    if (clock.nowMs() >= deadlineMs) late();
    else controller.abort(new ConnectError("the caller is gone", Code.Canceled));
  };
  const restMs = deadlineMs - clock.nowMs();
  const cancelTimer = Number.isFinite(restMs) ? clock.setTimer(late, Math.max(0, restMs)) : () => {};
  if (restMs <= 0) late();
  if (incoming.signal?.aborted === true) gone();
  incoming.signal?.addEventListener("abort", gone, { once: true });
  return {
    signal: controller.signal,
    stop() {
      cancelTimer();
      incoming.signal?.removeEventListener("abort", gone);
    },
  };
}

function untilAborted<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const stop = () => signal.removeEventListener("abort", onAbort);
    const running = (async () => work())();
    running.then(resolve, reject).then(stop, stop);
  });
}

// Headers cost more than the rest of a small call, so each is made when a handler first touches it.
function createContext(from: { incoming: Incoming; deadlineMs: number; signal: AbortSignal; clock: Clock }) {
  const { incoming, deadlineMs, signal, clock } = from;
  let requestHeader: Headers | undefined;
  let header: Headers | undefined;
  let trailer: Headers | undefined;
  const context: HandlerContext = {
    method: incoming.method,
    service: incoming.method.parent,
    signal,
    timeoutMs: () => (Number.isFinite(deadlineMs) ? deadlineMs - clock.nowMs() : undefined),
    requestMethod: "POST",
    protocolName: "grpc",
    values: createContextValues(),
    url: `/${incoming.method.parent.typeName}/${incoming.method.name}`,
    get requestHeader() {
      requestHeader ??= incoming.headers();
      return requestHeader;
    },
    get responseHeader() {
      header ??= new Headers();
      return header;
    },
    get responseTrailer() {
      trailer ??= new Headers();
      return trailer;
    },
  };
  return { context, touched: () => ({ header, trailer }) };
}

function toOutgoing(error: ConnectError, trailer: Headers | undefined): ConnectError {
  const metadata = new Headers(trailer);
  const pushback = error.metadata.get(headerNames.pushback);
  if (pushback !== null) metadata.set(headerNames.pushback, pushback);
  const outgoing = new ConnectError(error.rawMessage, error.code, metadata);
  outgoing.details = error.details;
  return outgoing;
}
