import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { GetDeliveryResponse } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import { type DeliverEventResponse, DeliverEventResult } from "../../gen/tripe/webhooks/v1/webhooks_service_pb.ts";
import { DeliveryOutcome, type DeliveryTrySchema } from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import { randomShare } from "../_runtime/random.ts";
import type { SchedulerClients } from "./clients.ts";
import type { WebhookJob, WebhookWork } from "./webhook-jobs.ts";

/** What delivering stands on. */
export interface DeliverDependencies {
  readonly clients: Pick<SchedulerClients, "reader" | "writer" | "webhooks">;
  /** How long each rung of the ladder is at most, in milliseconds; default as designed. Tests make it shorter. */
  readonly ladderMs?: readonly number[];
  /** An endpoint that has failed for so long is disabled; default three days. */
  readonly disableAfterMs?: number;
}

/** What is written down of a try; undefined of one whose turn was over. */
export type Tried = MessageInitShape<typeof DeliveryTrySchema> | undefined;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** 4-billing.md: as Stripe tries for three days. After the last rung a delivery is dead. */
export const DELIVERY_LADDER_MS: readonly number[] = [
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

/** As long as the ladder: what has failed through all of it, without one success between, is not there any more. */
const DISABLE_AFTER_MS = 72 * HOUR_MS;

/** A fault of our own that comes back so often will come back: the delivery is dead, and a person can redrive it. */
const FAULTS_MAX = 5;

/** Makes deliveries of jobs. */
export function createWebhookWork({
  clients,
  ladderMs = DELIVERY_LADDER_MS,
  disableAfterMs = DISABLE_AFTER_MS,
}: DeliverDependencies): WebhookWork<Tried> {
  return {
    work: (job, failures) => tryDelivery(clients, { job, failures, ladderMs }),
    record: async (all) => {
      const tries = all.filter((one) => one !== undefined);
      const disableAfter = durationFromMs(disableAfterMs);
      for (const set of setsOf(tries)) await clients.writer.recordDeliveries({ tries: set, disableAfter });
    },
  };
}

/** Half of what a message may hold (limits.ts): the bytes of a first attempt are some kilobytes, or a hundred. */
const SET_MAX_BYTES = 524_288;

/** What the writer keeps of a first attempt: of ordinary events all, of an invoice with megabytes of metadata nothing. */
const KEPT_MAX_BYTES = 1_048_576;

/** Tries that go into one message together; one whose bytes are many goes alone. */
function setsOf<Try extends NonNullable<Tried>>(tries: readonly Try[]): Try[][] {
  const sets: Try[][] = [];
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

interface Attempt {
  readonly job: WebhookJob;
  readonly failures: number;
  readonly ladderMs: readonly number[];
}

/** Tries once what is still due; the first attempt's bytes are posted again at every later one. */
async function tryDelivery(clients: DeliverDependencies["clients"], attempt: Attempt): Promise<Tried> {
  const { accountId, eventId, webhookEndpointId, turn } = attempt.job;
  const key = { accountId, eventId, webhookEndpointId };
  // Ids that name nothing are refused here: there is no row to write on, and the job is a dead letter.
  const delivery = await orDead(clients.reader.getDelivery(key), attempt.failures);
  if (delivery === undefined) return deadOf(attempt.job);
  if (delivery.turn !== turn) return undefined;
  if (!delivery.isEnabled) return { delivery: attempt.job, outcome: DeliveryOutcome.DISABLED };
  const { url, sealedSecrets, body, event, pendingCount, apiVersion } = delivery;
  const requestId = `${eventId}/${webhookEndpointId}/${turn}`;
  const signed = { accountId, requestId, webhookEndpointId, url, sealedSecrets };
  const content = { ...signed, body, pendingCount, apiVersion, ...(event && { event }) };
  // What the webhooks service refuses of a delivery that is there, it refuses every time.
  const answer = await orDead(clients.webhooks.deliverEvent(content), attempt.failures, [Code.InvalidArgument]);
  return answer === undefined ? deadOf(attempt.job) : judge(answer, delivery, attempt);
}

/** Undefined for what will not come to anything; a service that is away is no such thing, however long. */
async function orDead<Answer>(
  asked: Promise<Answer>,
  failures: number,
  hopeless: readonly Code[] = [],
): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    const code = error instanceof ConnectError ? error.code : Code.Unknown;
    // What is too large for a message is so every time; a peer that is too busy says the same, and is not for long.
    const isFault = [Code.Internal, Code.Unknown, Code.DataLoss, Code.ResourceExhausted].includes(code);
    if (hopeless.includes(code) || (isFault && failures >= FAULTS_MAX)) return undefined;
    throw error;
  }
}

// Of no known outcome: it is dead, and its endpoint has not failed.
function deadOf(delivery: WebhookJob): Tried {
  return { delivery, outcome: DeliveryOutcome.UNSPECIFIED, problem: "the event could not be made into a request" };
}

function judge(answer: DeliverEventResponse, delivery: GetDeliveryResponse, { job, ladderMs }: Attempt): Tried {
  const { status, problem } = answer;
  const { rung } = delivery;
  // What is kept already need not be sent to be kept again; what is too large to be kept is rendered anew.
  const isKept = delivery.body.length === 0 && answer.body.length <= KEPT_MAX_BYTES;
  const body = isKept ? answer.body : new Uint8Array();
  const told = { delivery: job, body, status, problem };
  switch (answer.result) {
    case DeliverEventResult.DELIVERED:
      return { ...told, outcome: DeliveryOutcome.DELIVERED };
    case DeliverEventResult.GONE:
      return { ...told, outcome: DeliveryOutcome.GONE };
    case DeliverEventResult.POSTPONED: {
      const rungMs = ladderMs[rung];
      if (rungMs === undefined) return { ...told, outcome: DeliveryOutcome.DEAD };
      // Full jitter: what failed together does not come back together. A server may ask for more time, never for less: one
      // that says "Retry-After: 1" for a minute would have used up the whole ladder.
      const askedMs = answer.retryAfter === undefined ? 0 : durationMs(answer.retryAfter);
      const waitMs = Math.max(rungMs * randomShare(), askedMs);
      return { ...told, outcome: DeliveryOutcome.POSTPONED, wait: durationFromMs(Math.round(waitMs)) };
    }
    default:
      // An address that Tripe does not call: its merchant has to mend it, and is sent then what it missed.
      return { ...told, outcome: DeliveryOutcome.REFUSED };
  }
}
