import { createCall, runCall } from "../_runtime/call.ts";
import type { Clock } from "../_runtime/clock.ts";
import { type ConcurrencyLimit, createConcurrencyLimit } from "../_runtime/concurrency-limit.ts";
import type { Log } from "../_runtime/log.ts";
import { ownMsOf } from "../_runtime/own-time.ts";

/** How far a set of rows has come. */
export interface WorkedThrough {
  readonly takenCount: number;
  readonly doneCount: number;
}

/** What working a set through takes. */
export interface WorkThroughOptions<Row> {
  /** Leased just now, in the order in which they are to be begun. */
  readonly rows: readonly Row[];
  /** Does one row; says whether it is done. A row that fails is due again when its lease ends. */
  readonly work: (row: Row) => Promise<boolean>;
  readonly lanesCount: number;
  /** What the rows are called in the log. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * No row is begun later than this after its set was leased: a lease is 20 s, the longest call 8, and work on a row whose
 * lease has ended would be done by two, perhaps long after the other has finished it.
 */
const BEGIN_MAX_MS = 10_000;

/** Half of what merchants' requests may delay each other (edge/entrance.ts): what is due yields first, and has the machine back last. */
const DELAY_TARGET_MS = 150;

/** So many are always worked on: what is due is late, and never forgotten, while merchants keep the machine busy. */
const LANES_MIN = 2;

/** The limit of each kind of row, for the life of a process. */
const limits = new WeakMap<Clock, Map<string, ConcurrencyLimit>>();

/**
 * Does the rows of a set, so many at a time, the first ones first; fewer at a time while the rows are delayed by what else Tripe does. A row that fails leaves the others alone; the log has a
 * line for the set, and when not one row was done the first failure is thrown, so that the sweep backs off.
 */
export async function workThrough<Row>(options: WorkThroughOptions<Row>): Promise<WorkedThrough> {
  const { rows, work, lanesCount, name, clock, log } = options;
  const endMs = clock.preciseMs() + BEGIN_MAX_MS;
  const left = rows.values();
  const failures: unknown[] = [];
  let doneCount = 0;
  const limit = limitOf(options);
  const lane = async (_: unknown, index: number) => {
    while (index < limit.limit() && clock.preciseMs() <= endMs) {
      const { done, value: row } = left.next();
      if (done === true) return;
      const end = limit.begin();
      const call = createCall({ caller: "scheduler", spans: [] }, clock);
      try {
        if (await runCall(call, () => work(row))) doneCount += 1;
      } catch (error) {
        failures.push(error);
      }
      end({ kind: name, ownMs: ownMsOf(call.spans ?? [], clock.preciseMs() - call.startMs) });
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanesCount, rows.length) }, lane));
  if (failures.length > 0 && doneCount === 0) throw failures[0];
  if (failures.length > 0)
    log.error("rows of a sweep failed", failures[0], { rows: name, failure_count: failures.length });
  return { takenCount: rows.length, doneCount };
}

function limitOf({ clock, name, lanesCount }: Pick<WorkThroughOptions<unknown>, "clock" | "name" | "lanesCount">) {
  const ofClock = limits.get(clock) ?? new Map<string, ConcurrencyLimit>();
  limits.set(clock, ofClock);
  const bounds = { min: Math.min(LANES_MIN, lanesCount), max: lanesCount, targetMs: DELAY_TARGET_MS };
  const limit = ofClock.get(name) ?? createConcurrencyLimit({ clock, ...bounds });
  ofClock.set(name, limit);
  return limit;
}
