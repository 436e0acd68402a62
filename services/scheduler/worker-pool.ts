import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";
import { isAway } from "./is-away.ts";

/** Rows that were leased just now. */
export interface LeasedSet<Row> {
  readonly rows: readonly Row[];
  /** Whether more rows are due that were left out; they are leased when there is room for them. */
  readonly hasMore: boolean;
}

/** What a pool needs. */
export interface WorkerPoolOptions<Row, Done> {
  /** What the rows are called in the log. */
  readonly name: string;
  /** Leases at most so many rows, knowing which are under way. */
  readonly lease: (limit: number, underway: readonly Row[]) => Promise<LeasedSet<Row>>;
  /** Does one row. It does not reject: what went wrong is what it came to. */
  readonly work: (row: Row) => Promise<Done>;
  /** Writes down what rows came to, all that have ended since the last time. */
  readonly record: (done: readonly Done[]) => Promise<void>;
  readonly concurrency: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Workers on leased rows. */
export interface WorkerPool {
  /** Leases what there is room for and begins it; says how many. Rejects when nothing could be leased. */
  fill(): Promise<number>;
  /** Begins no more, and waits for what is under way. */
  stop(): Promise<void>;
}

/** Rows that go into one message of the contract: RecordDeliveries and RecordMails take 64. */
const RECORD_MAX = 64;

/** What ends within so long is recorded, and followed, by the same few statements: a delivery's share of them is most of its cost. */
const GATHER_MS = 25;

/** Rows leased by one statement: a few rounds fill a pool, and a slow round leases little. */
const LEASE_MAX = 32;

/** How often a service that is away is asked to record, a second doubled between two: 15 s in all, well within a lease. */
const RECORD_TRIES_MAX = 5;
const RECORD_RETRY_MS = 1_000;

/**
 * Does many leased rows at once, each by itself: a slow one holds its own place and no other. What has ended is recorded in sets, one
 * set after the other, which gather while the one before is being written; then the pool is filled again, while more is due.
 */
export function createWorkerPool<Row, Done>(options: WorkerPoolOptions<Row, Done>): WorkerPool {
  const { name, clock, log, concurrency } = options;
  const underway = new Set<Row>();
  let ended: { readonly row: Row; readonly done: Done }[] = [];
  let isRecording = false;
  let isStopping = false;
  let hasMore = false;
  let onEmpty = () => {};

  const record = createRecorder(options);

  const begin = async (row: Row) => {
    const done = await options.work(row);
    // Not in one expression: `ended` is another array after each set, and would be looked up before the work.
    ended.push({ row, done });
    if (!isRecording) await recordAll();
  };
  const recordAll = async () => {
    isRecording = true;
    while (ended.length > 0) {
      if (ended.length < RECORD_MAX) await clock.sleep(GATHER_MS);
      const set = ended.slice(0, RECORD_MAX);
      ended = ended.slice(RECORD_MAX);
      await record(set.map(({ done }) => done));
      for (const { row } of set) underway.delete(row);
      if (hasMore) void fill().catch((error: unknown) => log.error("no rows were leased", error, { rows: name }));
    }
    isRecording = false;
    if (underway.size === 0) onEmpty();
  };
  const leaseOnce = async (): Promise<number> => {
    const limit = Math.min(concurrency - underway.size, LEASE_MAX);
    if (limit <= 0 || isStopping) {
      hasMore = true;
      return 0;
    }
    const set = await options.lease(limit, [...underway]);
    hasMore = set.hasMore;
    for (const row of set.rows) underway.add(row);
    for (const row of set.rows) {
      begin(row).catch((error: unknown) => log.error("a worker failed", error, { rows: name }));
    }
    return set.rows.length;
  };
  const fill = createJoined(async () => {
    let count = 0;
    do {
      const leased = await leaseOnce();
      if (leased === 0) break;
      count += leased;
    } while (hasMore);
    return count;
  });
  return {
    fill,
    stop: async () => {
      isStopping = true;
      // What is being leased is begun.
      await fill().catch(() => undefined);
      if (underway.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      onEmpty = resolve;
      await promise;
    },
  };
}

/** Records sets, patiently. What could not be recorded stays leased until its lease ends, and is done again then. */
function createRecorder<Row, Done>({ name, clock, log, record }: WorkerPoolOptions<Row, Done>) {
  // What one of them is refused for is not its neighbours'.
  const recordOneByOne = async (set: readonly Done[]) => {
    for (const one of set) {
      await record([one]).catch((error: unknown) =>
        log.error("a row was done and not recorded", error, { rows: name }),
      );
    }
  };
  return async (set: readonly Done[]) => {
    for (let tries = 1; tries <= RECORD_TRIES_MAX; tries += 1) {
      const failure = await record(set).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (failure === undefined) return;
      log.error("rows were done and not recorded", failure.error, { rows: name, tries });
      if (!isAway(failure.error)) return recordOneByOne(set);
      if (tries < RECORD_TRIES_MAX) await clock.sleep(RECORD_RETRY_MS * 2 ** (tries - 1));
    }
  };
}

/** Runs work one after the other; who asks while a run waits for its turn joins that run. */
function createJoined<Answer>(work: () => Promise<Answer>): () => Promise<Answer> {
  let running: Promise<unknown> = Promise.resolve();
  let waiting: Promise<Answer> | undefined;
  return () => {
    waiting ??= running
      .catch(() => undefined)
      .then(() => {
        waiting = undefined;
        const run = work();
        running = run;
        return run;
      });
    return waiting;
  };
}
