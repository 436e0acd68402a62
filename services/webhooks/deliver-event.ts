import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import {
  type DeliverEventRequest,
  type DeliverEventResponseSchema,
  DeliverEventResult,
} from "../../gen/tripe/webhooks/v1/webhooks_service_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import { refuse } from "../_runtime/errors.ts";
import type { KeySource } from "../_runtime/key-files.ts";
import { SealError, unsealText } from "../_runtime/seal.ts";
import { eventView } from "../_views/event.ts";
import type { InvoiceName, InvoiceTimes } from "../_views/pdf-link.ts";
import { type Answer, post } from "./post.ts";
import { type Rules, resolveTarget } from "./resolve-target.ts";
import { readRetryAfter } from "./retry-after.ts";
import { sign } from "./sign.ts";

/** What a delivery needs besides its request. */
export interface Courier extends Rules {
  readonly clock: Clock;
  /** The keys that the endpoints' secrets are sealed with. */
  readonly webhookKeys: KeySource;
  /** Makes the link to an invoice's PDF; undefined where Tripe's public address is not known. */
  readonly invoicePdfUrl?: ((name: InvoiceName & InvoiceTimes) => string) | undefined;
  /** For tests: how long a delivery may take; default 15 s. */
  readonly timeLimitMs?: number;
}

/** The call that asks, as far as a delivery goes by it. */
export interface Asker {
  readonly signal: AbortSignal;
  /** Milliseconds left until nobody waits any more; undefined when somebody waits for ever. */
  timeoutMs(): number | undefined;
}

type Response = MessageInitShape<typeof DeliverEventResponseSchema>;

// From the first question to the resolver to the last byte of the answer (4-billing.md).
const TIME_LIMIT_MS = 15_000;
// What is kept of the caller's time, so that it hears POSTPONED from us instead of nothing.
const RESERVE_MS = 250;

/**
 * Signs an event and posts it once. Refuses a request with neither event nor body (EVENT_MISSING); everything the other side does is an
 * answer. A secret that does not open is Tripe's own fault (INTERNAL, SEALED_SECRET_UNOPENED).
 */
export async function deliverEvent(courier: Courier, request: DeliverEventRequest, asker: Asker): Promise<Response> {
  const body = request.body.length > 0 ? request.body : renderBody(courier, request);
  const secrets = openSecrets(courier, request);
  const { clock, timeLimitMs = TIME_LIMIT_MS } = courier;
  const limit = new AbortController();
  const limitMs = Math.min(timeLimitMs, (asker.timeoutMs() ?? timeLimitMs) - RESERVE_MS);
  const cancel = clock.setTimer(() => limit.abort(new Error("time is up")), limitMs);
  try {
    const signal = AbortSignal.any([limit.signal, asker.signal]);
    return { body, ...(await deliver(courier, { request, secrets, body, signal })) };
  } finally {
    cancel();
  }
}

function openSecrets({ webhookKeys }: Courier, { accountId, webhookEndpointId, sealedSecrets }: DeliverEventRequest) {
  try {
    return sealedSecrets.map((sealed) => unsealText(webhookKeys, sealed, { accountId, objectId: webhookEndpointId }));
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    return refuse(Code.Internal, "SEALED_SECRET_UNOPENED", `a webhook secret does not open: ${error.problem}`);
  }
}

interface Delivery {
  readonly request: DeliverEventRequest;
  readonly secrets: readonly string[];
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

async function deliver(courier: Courier, { request, secrets, body, signal }: Delivery): Promise<Response> {
  const { clock } = courier;
  try {
    const target = await within(
      signal,
      resolveTarget(request.url, { ...courier, isLive: () => isLive(request, body) }),
    );
    if ("problem" in target) {
      const { REFUSED, POSTPONED } = DeliverEventResult;
      return { result: target.isRefused ? REFUSED : POSTPONED, problem: target.problem };
    }
    const headers = {
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": String(body.length),
      "Stripe-Signature": sign(body, secrets, clock.nowMs()),
      "User-Agent": "Tripe/1.0",
      Accept: "*/*",
    };
    return judge(await post(target, { headers, body, signal }), clock.nowMs());
  } catch (error) {
    return {
      result: DeliverEventResult.POSTPONED,
      problem: signal.aborted ? "no answer came in time" : wordsOf(error),
    };
  }
}

// The bytes are rendered once, at the first attempt; the caller keeps them, so that an update of Tripe between two
// attempts changes nothing.
function renderBody({ invoicePdfUrl }: Courier, request: DeliverEventRequest): Uint8Array {
  const { accountId, apiVersion, event, pendingCount } = request;
  if (event?.snapshot?.noun.case === undefined) {
    refuse(Code.InvalidArgument, "EVENT_MISSING", "an event with its noun, or the bytes of one, is needed", "event");
  }
  const { noun } = event.snapshot;
  const link = noun.case === "invoice" ? invoicePdfUrl?.({ ...noun.value, accountId }) : undefined;
  const context = { apiVersion, pendingWebhooks: pendingCount, invoicePdfUrl: link };
  return new TextEncoder().encode(JSON.stringify(eventView(event, context)));
}

function judge({ status, retryAfter }: Answer, nowMs: number): Response {
  if (status >= 200 && status < 300) return { result: DeliverEventResult.DELIVERED, status };
  if (status === 410) return { result: DeliverEventResult.GONE, status, problem: "the server wants no more events" };
  const waitMs = readRetryAfter(retryAfter, nowMs);
  return {
    result: DeliverEventResult.POSTPONED,
    status,
    ...(waitMs === undefined ? {} : { retryAfter: durationFromMs(waitMs) }),
    problem:
      status >= 300 && status < 400
        ? `the server answered ${status}; redirects are not followed`
        : `the server answered ${status}`,
  };
}

// A name server cannot be told to stop: what it says after the end is not listened to.
function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", onAbort));
}

function wordsOf(error: unknown): string {
  const isCoded = error instanceof Error && "code" in error && typeof error.code === "string";
  return `the connection failed: ${isCoded ? error.code : "no reason was given"}`;
}

/** Whether the event is a live account's. Later attempts bring the bytes alone, which say it as they were rendered here. */
function isLive({ event }: DeliverEventRequest, body: Uint8Array): boolean {
  if (event !== undefined) return event.isLive;
  try {
    const content: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof content !== "object" || content === null || !("livemode" in content) || content.livemode !== false;
  } catch {
    return true;
  }
}
