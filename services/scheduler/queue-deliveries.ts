import type { Clients } from "../_runtime/clients.ts";
import type { SweepRun } from "./sweep.ts";
import type { WebhookJobs } from "./webhook-jobs.ts";

/** What queueing stands on. */
export interface QueueDependencies {
  readonly clients: Pick<Clients, "reader" | "writer">;
  readonly jobs: { readonly webhooks: Pick<WebhookJobs, "send"> };
}

/** The most the contract allows: a delivery is three ids here. */
export const DELIVERIES_LIMIT = 500;

/**
 * Puts deliveries that are due into the queue, then marks them: first tries, later ones, and those asked for by hand. A
 * scheduler that dies between the two does it again, and finds the jobs there: a job's id follows from its turn.
 */
export async function queueDeliveries({ clients, jobs }: QueueDependencies): Promise<SweepRun> {
  const { deliveries } = await clients.reader.listUnqueuedDeliveries({ limit: DELIVERIES_LIMIT });
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
