import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { type DeliverEventResponse, DeliverEventResult } from "../../gen/tripe/webhooks/v1/webhooks_service_pb.ts";
import {
  DeliveryOutcome,
  type DeliveryTrySchema,
  type LeasedDelivery,
} from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import { assert } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import { randomShare } from "../_runtime/random.ts";
import type { SchedulerClients } from "./clients.ts";
import { createWorkerPool, type WorkerPool } from "./worker-pool.ts";

/** What delivering stands on. */
export interface DeliverDependencies {
  readonly clients: Pick<SchedulerClients, "writer" | "webhooks">;
  readonly clock: Clock;
  readonly log: Log;
  /** How long each step of the backoff schedule is at most, in milliseconds; default as designed. Tests make it shorter. */
  readonly backoffMs?: readonly number[];
  /** An endpoint that has failed for so long is disabled; default three days. */
  readonly disableAfterMs?: number;
  /** How long a delivery waits at first that a fault of Tripe's own kept from being tried; default a second. It doubles, to a minute. */
  readonly faultWaitMs?: number;
}

type Attempted = MessageInitShape<typeof DeliveryTrySchema>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** As Stripe tries for three days. After the last step a delivery is dead. */
export const DELIVERY_BACKOFF_MS: readonly number[] = [
  5_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];

/** As long as the schedule: what has failed through all of it, without one success between, is not there any more. */
const DISABLE_AFTER_MS = 72 * HOUR_MS;

/** A fault of Tripe's own that comes back so often will come back: the delivery is dead, and a person can redrive it. */
const FAULTS_MAX = 5;

/** As often as it is leased without a try that comes to anything: sixteen hours of services that are away. */
const LEASES_MAX = 1_000;

/** What a delivery waits for is Tripe's own writer or webhooks service. */
const FAULT_WAIT_MS = 1_000;
const FAULT_WAIT_MAX_MS = MINUTE_MS;

/** 128 posts at once cost a process some 20 MB; one account may fill half of them, one endpoint a quarter. */
const CONCURRENCY = 128;
const ACCOUNT_MAX = 64;
const ENDPOINT_MAX = 32;

/** Creates the pool that posts deliveries which are due. The limits of accounts and endpoints are those of one scheduler. */
export function createDeliveries(dependencies: DeliverDependencies): WorkerPool {
  const { clients, clock, log, disableAfterMs = DISABLE_AFTER_MS } = dependencies;
  return createWorkerPool<LeasedDelivery, Attempted>({
    ...{ name: "deliveries", concurrency: CONCURRENCY, clock, log },
    lease: async (limit, underway) => {
      const limits = { limit, endpointMax: ENDPOINT_MAX, accountMax: ACCOUNT_MAX };
      const { deliveries, hasMore } = await clients.writer.leaseDeliveries({ ...limits, loads: loadsOf(underway) });
      const isFull = deliveries.length === limit || isAtLimit([...underway, ...deliveries]);
      return { rows: deliveries, hasMore: hasMore || isFull };
    },
    work: (delivery) => attemptDelivery(dependencies, delivery),
    record: async (tries) => {
      const disableAfter = durationFromMs(disableAfterMs);
      for (const set of setsOf(tries)) await clients.writer.recordDeliveries({ tries: set, disableAfter });
    },
  });
}

function keyOf({ delivery }: LeasedDelivery) {
  assert(delivery !== undefined, "a leased delivery names itself");
  return delivery;
}

function loadsOf(underway: readonly LeasedDelivery[]) {
  const byEndpoint = Map.groupBy(underway, (one) => keyOf(one).webhookEndpointId);
  return [...byEndpoint].map(([webhookEndpointId, all]) => ({
    accountId: all[0] === undefined ? "" : keyOf(all[0]).accountId,
    webhookEndpointId,
    count: all.length,
  }));
}

/** Whether an endpoint or an account has as much under way as it may have: then more of it may be due than was leased. */
function isAtLimit(underway: readonly LeasedDelivery[]): boolean {
  const isOver = (idOf: (one: LeasedDelivery) => string, max: number) =>
    [...Map.groupBy(underway, idOf).values()].some(({ length }) => length >= max);
  return (
    isOver((one) => keyOf(one).webhookEndpointId, ENDPOINT_MAX) || isOver((one) => keyOf(one).accountId, ACCOUNT_MAX)
  );
}

/** Half of what a message may hold (limits.ts): the bytes of a first attempt are some kilobytes, or a hundred. */
const SET_MAX_BYTES = 524_288;

/** What the writer keeps of a first attempt: of ordinary events all, of an invoice with megabytes of metadata nothing. */
const KEPT_MAX_BYTES = 1_048_576;

/** Tries that go into one message together; one whose bytes are many goes alone. */
function setsOf(tries: readonly Attempted[]): Attempted[][] {
  const sets: Attempted[][] = [];
  let roomBytes = 0;
  for (const one of tries) {
    const bytes = one.body?.length ?? 0;
    if (sets.length === 0 || bytes > roomBytes) {
      sets.push([]);
      roomBytes = SET_MAX_BYTES;
    }
    roomBytes -= bytes;
    sets.at(-1)?.push(one);
  }
  return sets;
}

/** Posts once; the first attempt's bytes are posted again at every later one. Says what to record, whatever happens. */
export async function attemptDelivery(dependencies: DeliverDependencies, leased: LeasedDelivery): Promise<Attempted> {
  const { isEnabled, url, sealedSecrets, body, event, pendingCount, apiVersion } = leased;
  const delivery = keyOf(leased);
  const { accountId, eventId, webhookEndpointId, turn } = delivery;
  if (!isEnabled) return { delivery, outcome: DeliveryOutcome.DISABLED };
  // The writer could not read the event, or no message holds it: it is so every time.
  if (event === undefined && body.length === 0) return deadOf(leased);
  const requestId = `${eventId}/${webhookEndpointId}/${turn}`;
  const signed = { accountId, requestId, webhookEndpointId, url, sealedSecrets };
  const content = { ...signed, body, pendingCount, apiVersion, ...(event && { event }) };
  try {
    return judge(await dependencies.clients.webhooks.deliverEvent(content), leased, dependencies);
  } catch (error) {
    dependencies.log.error("a delivery could not be tried", error, { event_id: eventId });
    return isHopeless(error, leased.leaseCount - 1) ? deadOf(leased) : untried(leased, dependencies);
  }
}

/** Whether a fault is there to stay; a service that is away is no such thing for most of a day. */
function isHopeless(error: unknown, failureCount: number): boolean {
  const code = error instanceof ConnectError ? error.code : Code.Unknown;
  // What the webhooks service refuses of a delivery that is there, it refuses every time.
  if (code === Code.InvalidArgument || failureCount >= LEASES_MAX) return true;
  // What is too large for a message is so every time; a peer that is too busy says the same, and is not for long.
  const isFault = [Code.Internal, Code.Unknown, Code.DataLoss, Code.ResourceExhausted].includes(code);
  return isFault && failureCount >= FAULTS_MAX;
}

// Of no known outcome: it is dead, and its endpoint has not failed.
function deadOf(leased: LeasedDelivery): Attempted {
  const problem = "the event could not be made into a request";
  return { delivery: keyOf(leased), outcome: DeliveryOutcome.UNSPECIFIED, problem };
}

function untried(leased: LeasedDelivery, { faultWaitMs = FAULT_WAIT_MS }: DeliverDependencies): Attempted {
  const waitMs = Math.min(faultWaitMs * 2 ** (leased.leaseCount - 1), FAULT_WAIT_MAX_MS);
  return { delivery: keyOf(leased), outcome: DeliveryOutcome.UNTRIED, wait: durationFromMs(waitMs) };
}

function judge(
  answer: DeliverEventResponse,
  leased: LeasedDelivery,
  { backoffMs = DELIVERY_BACKOFF_MS }: DeliverDependencies,
): Attempted {
  const { status, problem } = answer;
  // What is kept already need not be sent to be kept again; what is too large to be kept is rendered anew.
  const isKept = leased.body.length === 0 && answer.body.length <= KEPT_MAX_BYTES;
  const body = isKept ? answer.body : new Uint8Array();
  const attempted = { delivery: keyOf(leased), body, status, problem };
  switch (answer.result) {
    case DeliverEventResult.DELIVERED:
      return { ...attempted, outcome: DeliveryOutcome.DELIVERED };
    case DeliverEventResult.GONE:
      return { ...attempted, outcome: DeliveryOutcome.GONE };
    case DeliverEventResult.POSTPONED: {
      const stepMs = backoffMs[leased.failedCount];
      if (stepMs === undefined) return { ...attempted, outcome: DeliveryOutcome.DEAD };
      // Full jitter: what failed together does not come back together. A server may ask for more time, never for less: one
      // that says "Retry-After: 1" for a minute would have used up the whole schedule.
      const askedMs = answer.retryAfter === undefined ? 0 : durationMs(answer.retryAfter);
      const waitMs = Math.max(stepMs * randomShare(), askedMs);
      return { ...attempted, outcome: DeliveryOutcome.POSTPONED, wait: durationFromMs(Math.round(waitMs)) };
    }
    default:
      // An address that Tripe does not call: its merchant has to mend it, and is sent then what it missed.
      return { ...attempted, outcome: DeliveryOutcome.REFUSED };
  }
}
