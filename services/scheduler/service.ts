import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import { PostponedWork, PostponedWorkSchema } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import { type SchedulerService, Sweep as SweepName } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import { refuse } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import type { SchedulerClients } from "./clients.ts";
import { COLLECTIONS_LIMIT, collectDue } from "./collect.ts";
import { createDeliveries, type DeliverDependencies } from "./deliveries.ts";
import { dispatchEvents, EVENTS_LIMIT } from "./dispatch.ts";
import { createDueWork } from "./due-work.ts";
import { createMails, type MailDependencies } from "./mails.ts";
import { RENEWALS_LIMIT, renewDue } from "./renew.ts";
import { type Sweep, type SweepRun, startSweep } from "./sweep.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** What the scheduler stands on. */
export interface SchedulerDependencies {
  readonly clients: SchedulerClients;
  readonly clock: Clock;
  readonly log: Log;
  /** For tests: another backoff schedule than the designed one, and a clock that goes on while the sweeps' stands still. */
  readonly delivering?: Partial<Pick<DeliverDependencies, "backoffMs" | "disableAfterMs" | "faultWaitMs" | "clock">>;
  readonly mailing?: Partial<Pick<MailDependencies, "retryWaitMs" | "clock">>;
}

/** A scheduler at work: its sweeps run from the start. */
export interface Scheduler {
  readonly implementation: ServiceImpl<typeof SchedulerService>;
  close(): Promise<void>;
}

/** One set of attempts: what twenty lines to the banks resolve well within a lease (resolve-attempts.ts). */
const ATTEMPTS_LIMIT = 100;

/** A process has 12 s to end (process.ts), and the sweeps have theirs. What is still under way then is leased, and is done again. */
const STOP_MAX_MS = 5_000;

/** Creates the scheduler and starts its sweeps. State is the queue: nothing is remembered here. */
export function createScheduler(dependencies: SchedulerDependencies): Scheduler {
  const pools = {
    deliveries: createDeliveries({ ...dependencies, ...dependencies.delivering }),
    mails: createMails({ ...dependencies, ...dependencies.mailing }),
  };
  const sweeps = startSweeps(dependencies, pools);
  return {
    implementation: {
      runSweep: async ({ sweep: name }) => {
        const sweep = sweeps.get(name);
        if (sweep === undefined) refuse(Code.InvalidArgument, "SWEEP_UNKNOWN", "there is no such sweep", "sweep");
        const { takenCount, doneCount } = await sweep.run();
        return { takenCount, doneCount };
      },
      getStatus: () => ({ sweeps: [...sweeps].map(([name, sweep]) => ({ sweep: name, ...statusOf(sweep) })) }),
    },
    close: async () => {
      await Promise.all([...sweeps.values()].map((sweep) => sweep.stop()));
      const stopped = Promise.all([pools.deliveries.stop(), pools.mails.stop()]);
      await Promise.race([stopped, (dependencies.delivering?.clock ?? dependencies.clock).sleep(STOP_MAX_MS)]);
    },
  };
}

/** What is due and sent to others, a row at a time. */
interface Pools {
  readonly deliveries: WorkerPool;
  readonly mails: WorkerPool;
}

function startSweeps(dependencies: SchedulerDependencies, pools: Pools): ReadonlyMap<SweepName, Sweep> {
  const { clients, clock, log } = dependencies;
  const isDue = createDueWork(dependencies);
  const start = (due: PostponedWork, fullCount: number, work: () => Promise<SweepRun>) =>
    startSweep({ name: wordOf(due), isDue: () => isDue(due), fullCount, work, clock, log });
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
    [SweepName.ATTEMPTS, start(PostponedWork.ATTEMPTS, ATTEMPTS_LIMIT, resolve)],
    [SweepName.HOLDS, start(PostponedWork.HOLDS, ATTEMPTS_LIMIT, expire)],
    [SweepName.RENEWALS, start(PostponedWork.RENEWALS, RENEWALS_LIMIT, () => renewDue(dependencies))],
    [SweepName.COLLECTIONS, start(PostponedWork.COLLECTIONS, COLLECTIONS_LIMIT, () => collectDue(dependencies))],
    [SweepName.MAILS, start(PostponedWork.MAILS, Number.POSITIVE_INFINITY, () => fill(pools.mails))],
    [SweepName.EVENTS, start(PostponedWork.EVENTS, EVENTS_LIMIT, () => dispatchEvents({ clients, log, ...pools }))],
    [SweepName.DELIVERIES, start(PostponedWork.WEBHOOKS, Number.POSITIVE_INFINITY, () => fill(pools.deliveries))],
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

// A pool goes on by itself while more is due, however long what it has begun takes: the sweep waits for none of it.
async function fill(pool: WorkerPool): Promise<SweepRun> {
  const takenCount = await pool.fill();
  return { takenCount, doneCount: takenCount };
}

function wordOf(work: PostponedWork): string {
  return PostponedWorkSchema.value[work]?.localName.toLowerCase() ?? String(work);
}

function statusOf(sweep: Sweep) {
  const { successMs, failureCount, failureReason } = sweep.health();
  return { failureCount, failureReason, ...(successMs !== undefined && { successTime: timestampFromMs(successMs) }) };
}
