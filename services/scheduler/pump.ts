import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";

/** A job as a pump sees it. */
export interface Pumped {
  readonly id: string;
  /** What it takes part in: no more than `groupLanes` of a group are done at once. */
  readonly group: string;
}

/** What a pump needs. */
export interface PumpOptions<Job extends Pumped, Done> {
  /** Claims at most so many jobs, none of these groups; an empty answer says that there are none for now. */
  readonly fetch: (limit: number, fullGroups: readonly string[]) => Promise<readonly Job[]>;
  /** Does one job. What it rejects with is judged with the others' results. */
  readonly work: (job: Job) => Promise<Done>;
  /** Ends jobs that were done or have failed, all that have ended since the last time. */
  readonly settle: (ended: readonly Ended<Job, Done>[]) => Promise<void>;
  readonly lanesCount: number;
  /** How many jobs of a group may be done at once. */
  readonly groupLanes: number;
  /** How long it waits when there was nothing to do, unless it is woken. */
  readonly pollMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** How a job ended. */
export type Ended<Job, Done> = { readonly job: Job } & ({ readonly done: Done } | { readonly error: unknown });

/** A pump at work. */
export interface Pump {
  /** There may be jobs. */
  wake(): void;
  /** Claims no more, and waits for what is under way. */
  stop(): Promise<void>;
}

/** Jobs that end in one message of the contract: RecordDeliveries takes 64. */
const SETTLE_MAX = 64;

/** What ends within so long is settled, and followed, by the same few statements: a delivery's share of them was most of its cost. */
const GATHER_MS = 25;

/** Jobs claimed by one statement: a few rounds fill all lanes, and one slow round claims little. */
const FETCH_MAX = 32;

/**
 * Claims jobs and does many at once, each by itself: a slow one holds its own lane and nobody else's. What has ended is settled
 * in sets, one set after the other, which gather while the one before is being written.
 */
export function startPump<Job extends Pumped, Done>(options: PumpOptions<Job, Done>): Pump {
  const { clock, log, lanesCount, groupLanes } = options;
  const pause = createPause(options);
  const lanes = createLanes();
  let ended: Ended<Job, Done>[] = [];
  let isSettling = false;
  let isStopping = false;

  const start = async (job: Job) => {
    lanes.count(job.group, 1);
    const end: Ended<Job, Done> = await options.work(job).then(
      (done) => ({ job, done }),
      (error: unknown) => ({ job, error }),
    );
    ended.push(end);
    if (!isSettling) void settleAll();
  };
  const settleAll = async () => {
    isSettling = true;
    while (ended.length > 0) {
      if (ended.length < SETTLE_MAX) await clock.sleep(GATHER_MS);
      const set = ended.slice(0, SETTLE_MAX);
      ended = ended.slice(SETTLE_MAX);
      // What could not be settled stays claimed until its claim runs out, and is done again then.
      await options.settle(set).catch((error: unknown) => log.error("jobs were done and not settled", error));
      for (const { job } of set) lanes.count(job.group, -1);
      pause.wake();
    }
    isSettling = false;
  };
  const claim = async (): Promise<number> => {
    const free = Math.min(lanesCount - lanes.total(), FETCH_MAX);
    if (free <= 0) return 0;
    try {
      const jobs = await options.fetch(free, lanes.full(groupLanes));
      for (const job of jobs) void start(job);
      return jobs.length;
    } catch (error) {
      log.error("no jobs were claimed", error);
      return 0;
    }
  };
  const loop = async () => {
    while (!isStopping) if ((await claim()) === 0) await pause.wait();
    while (lanes.total() > 0) await pause.wait();
  };
  const looping = loop();
  return {
    wake: pause.wake,
    stop: async () => {
      isStopping = true;
      pause.wake();
      await looping;
    },
  };
}

/** Waits for `pollMs`, or until it is woken: at once when that was since the last wait. */
function createPause({ clock, pollMs }: Pick<PumpOptions<never, never>, "clock" | "pollMs">) {
  let isWoken = false;
  let end = () => {
    isWoken = true;
  };
  const begin = end;
  return {
    wake: () => end(),
    wait: () =>
      new Promise<void>((resolve) => {
        const cancel = clock.setTimer(() => end(), pollMs);
        end = () => {
          isWoken = false;
          end = begin;
          cancel();
          resolve();
        };
        if (isWoken) end();
      }),
  };
}

/** Counts what is being done, in all and by group. */
function createLanes() {
  const running = new Map<string, number>();
  let total = 0;
  return {
    total: () => total,
    full: (groupLanes: number) => [...running].flatMap(([group, size]) => (size >= groupLanes ? [group] : [])),
    count: (group: string, change: number) => {
      total += change;
      const size = (running.get(group) ?? 0) + change;
      if (size === 0) running.delete(group);
      else running.set(group, size);
    },
  };
}
