import type { Log } from "../_runtime/log.ts";
import type { SchedulerClients } from "./clients.ts";
import type { SweepRun } from "./sweep.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** What dispatching stands on. */
export interface DispatchDependencies {
  readonly clients: Pick<SchedulerClients, "writer">;
  readonly deliveries: Pick<WorkerPool, "fill">;
  readonly mails: Pick<WorkerPool, "fill">;
  readonly log: Log;
}

/** The most the contract allows: a set is one statement. */
export const EVENTS_LIMIT = 500;

/**
 * Takes up events that wait, a set in one commit: what merchants' servers and mailboxes are to receive is due then, and is begun
 * at once. What is left undone when this process dies is found by the sweeps of both.
 */
export async function dispatchEvents({ clients, deliveries, mails, log }: DispatchDependencies): Promise<SweepRun> {
  const { takenCount, deliveryCount, mailCount } = await clients.writer.dispatchEvents({ limit: EVENTS_LIMIT });
  const begin = (pool: Pick<WorkerPool, "fill">) =>
    void pool.fill().catch((error: unknown) => log.error("what was dispatched is begun later", error));
  if (deliveryCount > 0) begin(deliveries);
  if (mailCount > 0) begin(mails);
  return { takenCount, doneCount: takenCount };
}
