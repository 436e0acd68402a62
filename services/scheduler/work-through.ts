import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";

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

/**
 * Does the rows of a set, so many at a time, the first ones first. A row that fails leaves the others alone; the log has a
 * line for the set, and when not one row was done the first failure is thrown, so that the sweep backs off.
 */
export async function workThrough<Row>(options: WorkThroughOptions<Row>): Promise<WorkedThrough> {
  const { rows, work, lanesCount, name, clock, log } = options;
  const endMs = clock.preciseMs() + BEGIN_MAX_MS;
  const left = rows.values();
  const failures: unknown[] = [];
  let doneCount = 0;
  const lane = async () => {
    for (const row of left) {
      if (clock.preciseMs() > endMs) return;
      try {
        if (await work(row)) doneCount += 1;
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanesCount, rows.length) }, lane));
  if (failures.length > 0 && doneCount === 0) throw failures[0];
  if (failures.length > 0)
    log.error("rows of a sweep failed", failures[0], { rows: name, failure_count: failures.length });
  return { takenCount: rows.length, doneCount };
}
