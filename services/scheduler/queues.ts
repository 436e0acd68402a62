import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { refuse } from "../_runtime/errors.ts";
import type { SchedulerClients } from "./clients.ts";
import type { Jobs, QueueState } from "./jobs.ts";

/** As many at once as the contract allows. */
const SET_MAX = 500;

/** Sets in one call: what is more is redriven by the next one, well within the call's time. */
const SETS_MAX = 20;

/**
 * Has what died in a queue tried again: dead letters, and for "webhook" the deliveries whose ladder has ended. What was
 * delivered is not dead, so that doing it twice delivers nothing twice. Refuses QUEUE_UNKNOWN.
 */
export async function redrive(
  { clients, jobs }: { readonly clients: Pick<SchedulerClients, "writer">; readonly jobs?: Jobs | undefined },
  queue: string,
): Promise<{ redrivenCount: number }> {
  if (jobs === undefined || (queue !== "mail" && queue !== "webhook")) {
    return refuse(Code.InvalidArgument, "QUEUE_UNKNOWN", "the queues are mail and webhook", "queue");
  }
  let redrivenCount = await jobs.redrive(queue);
  if (queue === "mail") return { redrivenCount };
  for (let set = 0; set < SETS_MAX; set += 1) {
    const one = await clients.writer.redriveDeliveries({ limit: SET_MAX });
    redrivenCount += one.redrivenCount;
    if (one.redrivenCount < SET_MAX) break;
  }
  return { redrivenCount };
}

/** A queue's state as its message. */
export function messageOf({ oldestMs, ...queue }: QueueState) {
  return { ...queue, ...(oldestMs !== undefined && { oldestTime: timestampFromMs(oldestMs) }) };
}
