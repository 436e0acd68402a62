import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import { type SchedulerService, Sweep as SweepName } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import type { Clients } from "../_runtime/clients.ts";
import type { Clock } from "../_runtime/clock.ts";
import { refuse } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import { type Sweep, startSweep } from "./sweep.ts";

/** What the scheduler stands on. */
export interface SchedulerDependencies {
  readonly clients: Pick<Clients, "transactions">;
  readonly clock: Clock;
  readonly log: Log;
}

/** A scheduler at work: its sweeps run from the start. */
export interface Scheduler {
  readonly implementation: ServiceImpl<typeof SchedulerService>;
  close(): Promise<void>;
}

/** One set of attempts: what twenty lines to the banks resolve well within a lease (resolve-attempts.ts). */
const ATTEMPTS_LIMIT = 100;

/** Creates the scheduler and starts its sweeps. State is the queue: nothing is remembered here. */
export function createScheduler({ clients, clock, log }: SchedulerDependencies): Scheduler {
  const attempts = startSweep({
    name: "attempts",
    fullCount: ATTEMPTS_LIMIT,
    clock,
    log,
    work: async () => {
      const { takenCount, settledCount } = await clients.transactions.resolveAttempts({ limit: ATTEMPTS_LIMIT });
      return { takenCount, doneCount: settledCount };
    },
  });
  const sweeps: ReadonlyMap<SweepName, Sweep> = new Map([[SweepName.ATTEMPTS, attempts]]);
  return {
    implementation: {
      runSweep: async ({ sweep: name }) => {
        const sweep = sweeps.get(name);
        if (sweep === undefined) refuse(Code.InvalidArgument, "SWEEP_UNKNOWN", "there is no such sweep", "sweep");
        return sweep.run();
      },
      getStatus: () => ({ sweeps: [...sweeps].map(([name, sweep]) => ({ sweep: name, ...statusOf(sweep) })) }),
    },
    close: async () => {
      await Promise.all([...sweeps.values()].map((sweep) => sweep.stop()));
    },
  };
}

function statusOf(sweep: Sweep) {
  const { successMs, failureCount, failureReason } = sweep.health();
  return { failureCount, failureReason, ...(successMs !== undefined && { successTime: timestampFromMs(successMs) }) };
}
