import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import { type SchedulerService, Sweep as SweepName } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import { refuse } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import type { SchedulerClients } from "./clients.ts";
import { COLLECTIONS_LIMIT, collectDue } from "./collect.ts";
import { createWebhookWork, type DeliverDependencies } from "./deliver.ts";
import { type DispatchDependencies, dispatchEvents, EVENTS_LIMIT } from "./dispatch-events.ts";
import type { Jobs } from "./jobs.ts";
import { mailEvent } from "./mail-event.ts";
import { mailNotice, type NoticeDependencies, noticeEndpoints } from "./notice-endpoints.ts";
import { createRequeueLost, DELIVERIES_LIMIT, queueDeliveries } from "./queue-deliveries.ts";
import { messageOf, redrive } from "./queues.ts";
import { RENEWALS_LIMIT, renewDue } from "./renew.ts";
import { SENDINGS_LIMIT, sendDue } from "./send-invoices.ts";
import { type Sweep, type SweepRun, startSweep } from "./sweep.ts";

/** What the scheduler stands on. */
export interface SchedulerDependencies {
  readonly clients: SchedulerClients;
  readonly clock: Clock;
  readonly log: Log;
  /** The queue of mails; without one the outbox of events is left alone. The scheduler stops it at its end. */
  readonly jobs?: Jobs;
  /** For tests: another ladder than the designed one. */
  readonly delivering?: Pick<DeliverDependencies, "ladderMs" | "disableAfterMs">;
}

/** A scheduler at work: its sweeps run from the start. */
export interface Scheduler {
  readonly implementation: ServiceImpl<typeof SchedulerService>;
  close(): Promise<void>;
}

/** One set of attempts: what twenty lines to the banks resolve well within a lease (resolve-attempts.ts). */
const ATTEMPTS_LIMIT = 100;

/** Creates the scheduler and starts its sweeps. State is the queue: nothing is remembered here. */
export function createScheduler(dependencies: SchedulerDependencies): Scheduler {
  const sweeps = startSweeps(dependencies);
  const { jobs } = dependencies;
  jobs?.work((job) => ("eventId" in job ? mailEvent(dependencies, job) : mailNotice(dependencies.clients, job)));
  jobs?.webhooks.work(createWebhookWork({ clients: dependencies.clients, ...dependencies.delivering }));
  return {
    implementation: {
      runSweep: async ({ sweep: name }) => {
        const sweep = sweeps.get(name);
        if (sweep === undefined) refuse(Code.InvalidArgument, "SWEEP_UNKNOWN", "there is no such sweep", "sweep");
        const { takenCount, doneCount } = await sweep.run();
        return { takenCount, doneCount };
      },
      listQueues: async () => ({ queues: jobs === undefined ? [] : (await jobs.list()).map(messageOf) }),
      redriveQueue: ({ queue }) => redrive(dependencies, queue),
      getStatus: () => ({
        sweeps: [...sweeps].map(([name, sweep]) => ({ sweep: name, ...statusOf(sweep) })),
        oldestDue: (jobs?.oldestDue() ?? []).map(({ queue, dueMs }) => ({ queue, dueTime: timestampFromMs(dueMs) })),
      }),
    },
    close: async () => {
      await Promise.all([...sweeps.values()].map((sweep) => sweep.stop()));
      await jobs?.stop();
    },
  };
}

function startSweeps(dependencies: SchedulerDependencies): ReadonlyMap<SweepName, Sweep> {
  const { clients, clock, log, jobs } = dependencies;
  const start = (name: string, fullCount: number, work: () => Promise<SweepRun>) =>
    startSweep({ name, fullCount, work, clock, log });
  const resolve = async () => {
    const { takenCount, settledCount } = await clients.transactions.resolveAttempts({ limit: ATTEMPTS_LIMIT });
    return { takenCount, doneCount: settledCount };
  };
  const eraseCvcs = createEraseCvcs(clients, clock);
  const expire = async () => {
    await eraseCvcs();
    const { takenCount, releasedCount } = await clients.transactions.expireHolds({ limit: ATTEMPTS_LIMIT });
    return { takenCount, doneCount: releasedCount };
  };
  return new Map([
    [SweepName.ATTEMPTS, start("attempts", ATTEMPTS_LIMIT, resolve)],
    [SweepName.HOLDS, start("holds", ATTEMPTS_LIMIT, expire)],
    [SweepName.RENEWALS, start("renewals", RENEWALS_LIMIT, () => renewDue(dependencies))],
    [SweepName.COLLECTIONS, start("collections", COLLECTIONS_LIMIT, () => collectDue(dependencies))],
    [SweepName.SENDINGS, start("sendings", SENDINGS_LIMIT, () => sendDue(dependencies))],
    ...(jobs === undefined ? [] : queueSweeps({ clients, clock, log, jobs }, start)),
  ]);
}

/** Looking once a minute keeps a CVC that was not used little longer than its hour. */
const ERASE_EVERY_MS = 60_000;

function createEraseCvcs({ writer }: Pick<SchedulerClients, "writer">, clock: Clock): () => Promise<void> {
  let nextMs = 0;
  return async () => {
    if (clock.nowMs() < nextMs) return;
    const { erasedCount } = await writer.eraseSealedCvcs({});
    // One call erases so many at most: while there may be more, the next sweep looks again.
    if (erasedCount === 0) nextMs = clock.nowMs() + ERASE_EVERY_MS;
  };
}

function queueSweeps(
  dependencies: DispatchDependencies & NoticeDependencies,
  start: (name: string, fullCount: number, work: () => Promise<SweepRun>) => Sweep,
): [SweepName, Sweep][] {
  const requeueLost = createRequeueLost(dependencies, dependencies.clock);
  return [
    [SweepName.EVENTS, start("events", EVENTS_LIMIT, () => dispatchEvents(dependencies))],
    [SweepName.DELIVERIES, start("deliveries", DELIVERIES_LIMIT, () => deliver(dependencies, requeueLost))],
  ];
}

// What cannot be mailed now is mailed later; deliveries do not wait for it.
async function deliver(
  dependencies: DispatchDependencies & NoticeDependencies,
  requeueLost: () => Promise<void>,
): Promise<SweepRun> {
  const run = await queueDeliveries(dependencies);
  await requeueLost().catch((error: unknown) => dependencies.log.error("what was lost is not queued again", error));
  await noticeEndpoints(dependencies).catch((error: unknown) =>
    dependencies.log.error("no account will be told", error),
  );
  return run;
}

function statusOf(sweep: Sweep) {
  const { successMs, failureCount, failureReason } = sweep.health();
  return { failureCount, failureReason, ...(successMs !== undefined && { successTime: timestampFromMs(successMs) }) };
}
