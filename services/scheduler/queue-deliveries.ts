import type { Clock } from "../_runtime/clock.ts";
import type { SchedulerClients } from "./clients.ts";
import type { SweepRun } from "./sweep.ts";
import type { WebhookJobs } from "./webhook-jobs.ts";

/** What queueing stands on. */
export interface QueueDependencies {
  readonly clients: Pick<SchedulerClients, "reader" | "writer">;
  readonly jobs: { readonly webhooks: Pick<WebhookJobs, "send"> };
}

/** The most the contract allows: a delivery is three ids here. */
export const DELIVERIES_LIMIT = 500;

/**
 * Puts deliveries that are due into the queue, then marks them: first tries, later ones, and those asked for by hand. A
 * scheduler that dies between the two does it again, and finds the jobs there: a job's id follows from its turn.
 */
export function queueDeliveries(dependencies: QueueDependencies): Promise<SweepRun> {
  return queue(dependencies, false);
}

/** A job that is gone is a rare thing: a backup put back, a person's hand in the queue. */
const REQUEUE_EVERY_MS = 60_000;

/**
 * Makes what queues again, once a minute however often it is called, what was queued 15 minutes ago and is due in that turn
 * still. Where the job is there nothing changes; where it has ended, pg-boss forgets it after an hour, and takes it then.
 */
export function createRequeueLost(dependencies: QueueDependencies, clock: Clock): () => Promise<void> {
  let nextMs = 0;
  return async () => {
    if (clock.nowMs() < nextMs) return;
    nextMs = clock.nowMs() + REQUEUE_EVERY_MS;
    await queue(dependencies, true);
  };
}

async function queue({ clients, jobs }: QueueDependencies, isLost: boolean): Promise<SweepRun> {
  const { deliveries } = await clients.reader.listUnqueuedDeliveries({ limit: DELIVERIES_LIMIT, isLost });
  if (deliveries.length === 0) return { takenCount: 0, doneCount: 0 };
  const turns = deliveries.map(({ accountId, eventId, webhookEndpointId, turn }) => ({
    accountId,
    eventId,
    webhookEndpointId,
    turn,
  }));
  await jobs.webhooks.send(turns);
  const { markedCount } = await clients.writer.markDeliveriesQueued({ deliveries: turns });
  return { takenCount: deliveries.length, doneCount: markedCount };
}
