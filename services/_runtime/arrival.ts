import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { type Call, callerGone, createCall, runCall } from "./call.ts";
import type { CallFacts } from "./call-facts.ts";
import type { Cancellation } from "./cancellation.ts";
import type { Clock } from "./clock.ts";
import type { DeadlineWheel, Expiring } from "./deadline-wheel.ts";
import { defaultTimeoutMs } from "./deadlines.ts";
import { codeName, refusalOf, refuse, toPublicError } from "./errors.ts";
import { headerNames } from "./headers.ts";
import type { Log } from "./log.ts";
import { encodeSpans, round } from "./timing.ts";
import type { CallerName, MayCall, ServiceName } from "./topology.ts";

/** An rpc as a transport hands it over. */
export interface Incoming {
  readonly method: DescMethod;
  readonly facts: CallFacts;
  /** All headers, the facts among them; made only when a handler asks. */
  headers(): Headers;
  /** When the caller stops waiting, in milliseconds since 1970 of the host's clock; undefined when it did not say. */
  readonly deadlineMs: number | undefined;
  /** Tells when the caller is gone; undefined when that is not to be known. */
  readonly cancellation: Cancellation | undefined;
  /** Who calls, as the transport has proved; undefined when nothing was proved. What a caller says of itself counts for nothing. */
  readonly caller: CallerName | undefined;
}

/** What goes back beside the message of a call that ended well; each is undefined when there is none. */
export interface ReplyFacts {
  readonly timing: string | undefined;
  readonly header: Headers | undefined;
  readonly trailer: Headers | undefined;
}

/** A call that has come in, from its first moment to its log line. */
export interface Arrival {
  readonly context: HandlerContext;
  /** Throws when this caller may not make this call, or nobody waits for it any more. */
  admit(): void;
  /** Does work as part of the call, and gives up waiting for it at the deadline or when the caller is gone. */
  within<T>(work: () => T | Promise<T>): Promise<T>;
  /** Ends the call well. */
  succeed(): ReplyFacts;
  /** Ends the call badly; hands back what its caller may see. */
  fail(error: unknown): ConnectError;
}

/** What health asks every second while somebody asks for health: a good answer is no line in the log. */
const routineRpcs: ReadonlySet<string> = new Set(["CheckDatabase", "CountAlerts", "GetOldestDue", "GetStatus"]);

/** What a host is, to the calls that come in. */
export interface ArrivalOptions {
  readonly name: ServiceName;
  readonly log: Log;
  readonly clock: Clock;
  readonly mayCall: MayCall;
  /** The clock's. */
  readonly wheel: DeadlineWheel;
}

/** Starts a call that has come in for the service of that name. */
export function receive(incoming: Incoming, options: ArrivalOptions): Arrival {
  return new StartedArrival(incoming, options);
}

// A call is on its way for less, but on a machine that stands still: a caller that is gone so shortly before the deadline has met it.
const ON_THE_WAY_MS = 50;

/** The caller in the log line of a call that came without proof. */
const UNPROVEN = "unproven";

class StartedArrival implements Arrival, Expiring {
  readonly context: CallContext;
  readonly #incoming: Incoming;
  readonly #options: ArrivalOptions;
  readonly #call: Call;
  readonly #gone: () => void;
  readonly #slot: number | undefined;
  #giveUp: ((reason: unknown) => void) | undefined = undefined;
  #isFinished = false;

  constructor(incoming: Incoming, options: ArrivalOptions) {
    const { clock } = options;
    const nowMs = clock.nowMs();
    const deadlineMs = incoming.deadlineMs ?? nowMs + defaultTimeoutMs(incoming.method.name);
    this.#incoming = incoming;
    this.#options = options;
    this.#call = startCall(incoming, deadlineMs, clock);
    this.context = new CallContext(incoming, this.#call, clock);
    this.#gone = () => {
      // A caller cancels at its deadline too, and counts from before the call was on its way.
      if (clock.nowMs() >= deadlineMs - ON_THE_WAY_MS) this.expire();
      else this.#cancel(callerGone());
    };
    const restMs = deadlineMs - nowMs;
    if (restMs <= 0) this.expire();
    else if (incoming.cancellation?.isCancelled === true) this.#gone();
    else incoming.cancellation?.onCancel(this.#gone);
    this.#slot = Number.isFinite(restMs) ? options.wheel.add(this.#call.startMs + restMs, this) : undefined;
  }

  admit(): void {
    checkCaller(this.#incoming, this.#options);
    if (this.#call.cancelReason !== undefined) throw this.#call.cancelReason;
  }

  within<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#call.cancelReason !== undefined) return reject(this.#call.cancelReason);
      this.#giveUp = reject;
      Promise.resolve(runCall(this.#call, work)).then(resolve, reject);
    });
  }

  succeed(): ReplyFacts {
    this.#finish("ok", undefined);
    const { header, trailer } = this.context.touched();
    return { timing: this.#timing(), header, trailer };
  }

  fail(error: unknown): ConnectError {
    const shown = toPublicError(error, this.#call.cancelReason);
    if (shown.code === Code.Internal && !this.#isFinished) {
      const { requestId } = this.#call;
      const facts = { request_id: requestId, service: this.#options.name, rpc: this.#incoming.method.name };
      this.#options.log.error("a call failed", error, facts);
    }
    this.#finish(codeName(shown.code), refusalOf(shown)?.reason);
    return toOutgoing(shown, this.context.touched().trailer, this.#timing());
  }

  expire(): void {
    this.#cancel(new ConnectError("the deadline has passed", Code.DeadlineExceeded));
  }

  #cancel(reason: ConnectError): void {
    // The caller's answer first: what is cancelled below it may end the handler in some other way.
    this.#giveUp?.(reason);
    this.#call.cancel(reason);
  }

  #timing(): string | undefined {
    const { spans } = this.#call;
    return spans === undefined || spans.length === 0 ? undefined : encodeSpans(spans);
  }

  #finish(code: string, reason: string | undefined): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    if (this.#slot !== undefined) this.#options.wheel.remove(this.#slot, this);
    this.#incoming.cancellation?.offCancel(this.#gone);
    const { name, log, clock } = this.#options;
    const { method, facts } = this.#incoming;
    if (code === "ok" && routineRpcs.has(method.name)) return;
    const call = this.#call;
    log.rpc({
      request_id: call.requestId,
      trace_id: call.traceId,
      span_id: call.spanId,
      parent_id: facts.parentId,
      caller: call.caller,
      service: name,
      rpc: method.name,
      start_ms: round(call.startMs),
      ms: round(clock.preciseMs() - call.startMs),
      code,
      ...(reason === undefined ? {} : { reason }),
    });
  }
}

function checkCaller({ caller, method }: Incoming, { name, mayCall }: ArrivalOptions): void {
  if (caller === undefined) refuse(Code.Unauthenticated, "CALLER_NOT_PROVEN", "the caller does not prove its name");
  if (mayCall(caller, name, method.name)) return;
  refuse(Code.PermissionDenied, "CALLER_NOT_ALLOWED", `${caller} may not call ${name}.${method.name}`);
}

function startCall({ facts, caller }: Incoming, deadlineMs: number, clock: Clock): Call {
  const { requestId, clientKey, traceId, spanId, wantsTiming } = facts;
  const spans = wantsTiming ? [] : undefined;
  return createCall({ requestId, clientKey, traceId, spanId, caller: caller ?? UNPROVEN, deadlineMs, spans }, clock);
}

// Headers and values cost more than the rest of a small call, so each is made when a handler first touches it.
class CallContext implements HandlerContext {
  readonly method: HandlerContext["method"];
  readonly requestMethod = "POST";
  readonly protocolName = "grpc";
  readonly #incoming: Incoming;
  readonly #call: Call;
  readonly #clock: Clock;
  #values: ContextValues | undefined = undefined;
  #requestHeader: Headers | undefined = undefined;
  #responseHeader: Headers | undefined = undefined;
  #responseTrailer: Headers | undefined = undefined;

  constructor(incoming: Incoming, call: Call, clock: Clock) {
    this.method = incoming.method;
    this.#incoming = incoming;
    this.#call = call;
    this.#clock = clock;
  }

  get service(): HandlerContext["service"] {
    return this.method.parent;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get url(): string {
    return `/${this.method.parent.typeName}/${this.method.name}`;
  }

  get values(): ContextValues {
    this.#values ??= createContextValues();
    return this.#values;
  }

  get requestHeader(): Headers {
    this.#requestHeader ??= this.#incoming.headers();
    return this.#requestHeader;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  get timeoutMs(): () => number | undefined {
    const { deadlineMs } = this.#call;
    return () => (Number.isFinite(deadlineMs) ? deadlineMs - this.#clock.nowMs() : undefined);
  }

  /** What the handler has set. */
  touched(): { header: Headers | undefined; trailer: Headers | undefined } {
    return { header: this.#responseHeader, trailer: this.#responseTrailer };
  }
}

function toOutgoing(error: ConnectError, trailer: Headers | undefined, timing: string | undefined): ConnectError {
  const metadata = new Headers(trailer);
  if (timing !== undefined) metadata.set(headerNames.timing, timing);
  const pushback = error.metadata.get(headerNames.pushback);
  if (pushback !== null) metadata.set(headerNames.pushback, pushback);
  const outgoing = new ConnectError(error.rawMessage, error.code, metadata);
  outgoing.details = error.details;
  return outgoing;
}
