import type { UndispatchedEvent } from "../../gen/tripe/reader/v1/events_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";
import type { SchedulerClients } from "./clients.ts";
import type { Jobs } from "./jobs.ts";
import { queueDeliveries } from "./queue-deliveries.ts";
import type { SweepRun } from "./sweep.ts";
import { workThrough } from "./work-through.ts";

/** What dispatching stands on. */
export interface DispatchDependencies {
  readonly clients: Pick<SchedulerClients, "reader" | "writer">;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly log: Log;
}

/** The most the contract allows: an event is an id here, and marking a set is one statement. */
export const EVENTS_LIMIT = 500;

/** Reads of one row each, which the reader pipelines. */
const LANES_COUNT = 16;

/**
 * Takes up the outbox: what causes a mail goes into the queue of mails, then the whole set is marked, which makes what is
 * due to merchants' servers; that goes into its queue at once. A scheduler that dies
 * between the two does it again, and finds the jobs there: a job's id follows from its event's.
 */
export async function dispatchEvents({ clients, jobs, clock, log }: DispatchDependencies): Promise<SweepRun> {
  const { events } = await clients.reader.listUndispatchedEvents({ limit: EVENTS_LIMIT });
  if (events.length === 0) return { takenCount: 0, doneCount: 0 };
  const decided: UndispatchedEvent[] = [];
  const mailing: UndispatchedEvent[] = [];
  const work = async (event: UndispatchedEvent) => {
    if (await causesMail(clients, event)) mailing.push(event);
    decided.push(event);
    return true;
  };
  await workThrough({ rows: events, work, lanesCount: LANES_COUNT, name: "events", clock, log });
  await jobs.send(mailing.map(({ accountId, eventId }) => ({ accountId, eventId })));
  const keys = decided.map(({ accountId, eventId }) => ({ accountId, eventId }));
  const { markedCount } = await clients.writer.markEventsDispatched({ events: keys });
  await queueDeliveries({ clients, jobs });
  await checkDeclines({ clients, log }, decided);
  return { takenCount: events.length, doneCount: markedCount };
}

/** Looks at the accounts whose charges failed just now. It is no reason to dispatch an event again. */
async function checkDeclines(
  { clients, log }: Pick<DispatchDependencies, "clients" | "log">,
  events: readonly UndispatchedEvent[],
): Promise<void> {
  const failed = events.filter(({ type }) => type === "charge.failed").map(({ accountId }) => accountId);
  for (const accountId of new Set(failed)) {
    await clients.writer
      .checkDeclines({ accountId })
      .catch((error: unknown) =>
        log.error("an account's declines were not looked at", error, { account_id: accountId }),
      );
  }
}

/**
 * Most charges want no receipt, so those are looked at here; returns are rare, and their notice's worker looks itself. What is
 * only held was not paid: its receipt follows the capture.
 */
async function causesMail({ reader }: DispatchDependencies["clients"], event: UndispatchedEvent): Promise<boolean> {
  if (event.type === "refund.created" || event.type === "refund.updated") return true;
  if (event.type !== "charge.succeeded" && event.type !== "charge.captured") return false;
  const { accountId, eventId } = event;
  const noun = (await reader.getEvent({ accountId, eventId })).event?.snapshot?.noun;
  return noun?.case === "charge" && noun.value.capturedMinor > 0n && noun.value.receiptEmail !== "";
}
