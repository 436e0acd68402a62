import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Cancellation } from "./cancellation.ts";
import type { Clock } from "./clock.ts";
import type { Departure } from "./departure.ts";
import { headerNames } from "./headers.ts";
import { randomShare } from "./random.ts";
import type { ServiceTransport } from "./service-transport.ts";

/** A call is tried at most so many times: a third meets a service that was restarted twice; more only adds load. */
export const TRIES_MAX = 3;

// Full jitter: the pause before the second and the third try is anything from 0 to this.
const PAUSES_MS = [25, 100];

// A service restarted by its supervisor listens again within 2 s, and the channel knocks at least every second.
const BRIDGE_MS = 3_000;

// Retries may add a tenth to the calls of a client. The store fills to 100, so that all calls in flight when a service
// is killed (50 charges, two calls each) are bridged, while a service that stays away soon costs no waiting at all.
const TOKENS_MAX = 100;
const TOKENS_PER_CALL = 0.1;

/** Lets a failed try be made again, or not. */
export interface RetryPolicy {
  /** Counts a call, for the budget. */
  called(): void;
  /** Resolves to true when the call is to be made again, after it has waited for that; false when it has failed. */
  again(failure: { error: unknown; tries: number; departure: Departure }): Promise<boolean>;
}

/** Makes the one place where calls are retried, for the clients of one service. */
export function createRetryPolicy(transport: Pick<ServiceTransport, "ready">, clock: Clock): RetryPolicy {
  let tokens = TOKENS_MAX;
  return {
    called() {
      tokens = Math.min(TOKENS_MAX, tokens + TOKENS_PER_CALL);
    },
    async again({ error, tries, departure: { deadlineMs, cancellation } }) {
      if (tries >= TRIES_MAX || tokens < 1 || !isUnavailable(error)) return false;
      tokens -= 1;
      const pauseMs = randomShare() * (PAUSES_MS[tries - 1] ?? 0);
      if (clock.nowMs() + pauseMs >= deadlineMs) return false;
      // Nobody waits any more: what failed has failed.
      if (!(await pauseUnlessCancelled(clock, pauseMs, cancellation))) return false;
      return transport.ready(Math.min(BRIDGE_MS, deadlineMs - clock.nowMs()));
    },
  };
}

/** Resolves to true after so many milliseconds, to false as soon as the call is cancelled. */
function pauseUnlessCancelled(clock: Clock, ms: number, cancellation: Cancellation): Promise<boolean> {
  return new Promise((resolve) => {
    if (cancellation.isCancelled) return resolve(false);
    const end = (isOver: boolean) => {
      cancelTimer();
      cancellation.offCancel(onCancel);
      resolve(isOver);
    };
    const onCancel = () => end(false);
    const cancelTimer = clock.setTimer(() => end(true), ms);
    cancellation.onCancel(onCancel);
  });
}

/**
 * Whether a call may be made twice: it only reads, its contract says that it does no harm, or its request carries an id under
 * which it is done once.
 */
export function isRepeatable(method: DescMethod, input: object): boolean {
  const { IDEMPOTENT, NO_SIDE_EFFECTS } = MethodOptions_IdempotencyLevel;
  if (method.idempotency === NO_SIDE_EFFECTS || method.idempotency === IDEMPOTENT) return true;
  return "requestId" in input && typeof input.requestId === "string" && input.requestId !== "";
}

/** Tells callers further up that this call has been retried here, so that tries do not multiply. */
export function markTried(error: unknown): void {
  if (isUnavailable(error)) error.metadata.set(headerNames.pushback, "-1");
}

function isUnavailable(error: unknown): error is ConnectError {
  const isIt = error instanceof ConnectError && error.code === Code.Unavailable;
  return isIt && !error.metadata.has(headerNames.pushback);
}
