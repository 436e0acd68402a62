import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Call, createCall, currentCall } from "./call.ts";
import type { CallFacts } from "./call-facts.ts";
import { type Cancellation, cancellationOf, eitherCancellation } from "./cancellation.ts";
import type { ClientOptions } from "./client.ts";
import { deadlineOf } from "./deadlines.ts";
import { codeName, refusalOf, refuse } from "./errors.ts";
import { headerNames } from "./headers.ts";
import { randomHex } from "./random.ts";
import type { OutgoingCall } from "./service-transport.ts";
import { decodeSpans, round } from "./timing.ts";
import { mayCall as mayCallByTopology, type ServiceName } from "./topology.ts";

/** A call that goes out, from its first try to its last. */
export interface Departure {
  /** When it must have ended, in milliseconds since 1970. */
  readonly deadlineMs: number;
  /** Tells when nobody waits for it any more. */
  readonly cancellation: Cancellation;
  /** Starts a try; throws DEADLINE_EXCEEDED when no time is left for one. */
  attempt(): Attempt;
}

/** One try of a call. */
export interface Attempt {
  /** What the transport is handed. */
  readonly outgoing: OutgoingCall;
  /** Ends the try well; `timing` is what came back beside the reply. */
  succeed(timing: string | undefined): void;
  /** Ends the try badly. */
  fail(error: unknown): void;
}

/** What a client is asked to call. */
export interface Request {
  readonly name: ServiceName;
  readonly method: DescMethod;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly headers: HeadersInit | undefined;
  readonly options: ClientOptions;
}

/** Starts a call to the service of that name; refuses one that the topology does not list. */
export function depart(request: Request): Departure {
  const { name, method } = request;
  const { caller, clock, mayCall = mayCallByTopology } = request.options;
  if (!mayCall(caller, name, method.name)) {
    refuse(Code.PermissionDenied, "CALLER_NOT_ALLOWED", `${caller} may not call ${name}.${method.name}`);
  }
  const parent = currentCall() ?? createCall({ caller }, clock);
  const deadlineMs = deadlineOf({
    rpc: method.name,
    nowMs: clock.nowMs(),
    callerDeadlineMs: parent.deadlineMs,
    timeoutMs: request.timeoutMs,
  });
  return new StartedDeparture(request, parent, deadlineMs);
}

class StartedDeparture implements Departure {
  readonly deadlineMs: number;
  readonly cancellation: Cancellation;
  readonly #request: Request;
  readonly #parent: Call;

  constructor(request: Request, parent: Call, deadlineMs: number) {
    const { signal } = request;
    this.#request = request;
    this.#parent = parent;
    this.deadlineMs = deadlineMs;
    this.cancellation = signal === undefined ? parent : eitherCancellation(parent, cancellationOf(signal));
  }

  attempt(): Attempt {
    const { name, options } = this.#request;
    const timeoutMs = this.deadlineMs - options.clock.nowMs();
    if (timeoutMs <= 0) throw new ConnectError(`no time is left to call ${name}`, Code.DeadlineExceeded);
    const { cancellation } = this;
    return new StartedAttempt({ request: this.#request, parent: this.#parent, timeoutMs, cancellation });
  }
}

class StartedAttempt implements Attempt {
  readonly outgoing: OutgoingCall;
  readonly #request: Request;
  readonly #parent: Call;
  readonly #spanId = randomHex(8);
  readonly #startMs: number;

  constructor(from: { request: Request; parent: Call; timeoutMs: number; cancellation: Cancellation }) {
    const { request, parent, timeoutMs, cancellation } = from;
    this.#request = request;
    this.#parent = parent;
    this.#startMs = request.options.clock.preciseMs();
    const { caller } = request.options;
    const facts = factsOf(parent, this.#spanId);
    this.outgoing = { caller, facts, timeoutMs, cancellation, headers: request.headers };
  }

  succeed(timing: string | undefined): void {
    this.#finish("ok", timing);
  }

  fail(error: unknown): void {
    const failure = ConnectError.from(error);
    const parent = this.#parent;
    const code = codeName(failure.code);
    const timing = parent.spans === undefined ? undefined : (failure.metadata.get(headerNames.timing) ?? undefined);
    const ms = this.#finish(code, timing);
    const reason = refusalOf(failure)?.reason;
    const { name, method, options } = this.#request;
    options.log.rpc({
      request_id: parent.requestId,
      trace_id: parent.traceId,
      span_id: this.#spanId,
      parent_id: parent.spanId,
      caller: options.caller,
      service: name,
      rpc: method.name,
      start_ms: round(this.#startMs),
      ms: round(ms),
      code,
      ...(reason === undefined ? {} : { reason }),
      side: "client",
    });
  }

  #finish(code: string, timing: string | undefined): number {
    const { name, method, options } = this.#request;
    const startMs = this.#startMs;
    const ms = options.clock.preciseMs() - startMs;
    options.observe?.({ caller: options.caller, service: name, rpc: method.name, startMs, ms, code });
    const { spans } = this.#parent;
    if (spans !== undefined) {
      const offsetMs = startMs - this.#parent.startMs;
      spans.push({ name: `${name}.${method.name}`, startMs: offsetMs, ms });
      if (timing !== undefined) spans.push(...decodeSpans(timing, offsetMs));
    }
    return ms;
  }
}

function factsOf({ requestId, clientKey, traceId, spanId, spans }: Call, ownSpanId: string): CallFacts {
  return { requestId, clientKey, traceId, spanId: ownSpanId, parentId: spanId, wantsTiming: spans !== undefined };
}
