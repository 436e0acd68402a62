import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "../_runtime/clock.ts";
import { refusalOf } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import { isAway } from "./is-away.ts";
import { createTimeGuard } from "./time-guard.ts";

/** What one run of a sweep did. */
export interface SweepRun {
  /** How many rows were due and taken up. */
  readonly takenCount: number;
  /** How many of them are done. */
  readonly doneCount: number;
  /** Whether another run is to follow at once, however few rows there were; default no. */
  readonly hasMore?: boolean;
}

/** How a sweep is doing. */
export interface SweepHealth {
  /** When it last ended well, in milliseconds since 1970; undefined before the first time. */
  readonly successMs: number | undefined;
  /** How many runs have failed since. */
  readonly failureCount: number;
  /** The last failure's reason, in UPPER_SNAKE_CASE; empty after a success. */
  readonly failureReason: string;
}

/** A sweep that runs by itself. */
export interface Sweep {
  /** Runs it now, or joins the run under way: never two at once in one process. */
  run(): Promise<SweepRun>;
  health(): SweepHealth;
  /** Starts no more runs, and waits for the one under way. */
  stop(): Promise<void>;
}

/** What a sweep needs. `work` asks the tables what is due and does it; run twice, or not at all, it changes nothing. */
export interface SweepOptions {
  readonly name: string;
  readonly work: () => Promise<SweepRun>;
  /** Whether a tick should do the work, as far as is known without doing it; `run` does it in any case. */
  readonly isDue: () => Promise<boolean>;
  /** A run that took so many is followed by another at once: there may be more. */
  readonly fullCount: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Every second, as the design says: what is due is late by at most that. */
const INTERVAL_MS = 1_000;

/** A sweep that keeps failing waits twice as long each time, up to this: a database that is back is soon swept again. */
const BACKOFF_MAX_MS = 30_000;

/** Full runs in a row before the interval is kept all the same, so that one sweep cannot keep a process to itself. */
const ROUNDS_MAX = 100;

/** A first start compiles everything, ten processes at once: some seconds on a quiet machine, a minute on a busy one. */
const START_GRACE_MS = 60_000;

/** Starts a sweep: each second it runs if something is due, and again at once while its sets are full. */
export function startSweep({ name, work, isDue, fullCount, clock, log }: SweepOptions): Sweep {
  const stopping = new AbortController();
  const guard = createTimeGuard({ clock, log });
  let health: SweepHealth = { successMs: undefined, failureCount: 0, failureReason: "" };
  let running: Promise<SweepRun> | undefined;
  const startMs = clock.preciseMs();

  const run = () => {
    running ??= runOnce().finally(() => {
      running = undefined;
    });
    return running;
  };
  const runOnce = async (): Promise<SweepRun> => {
    try {
      const done = await work();
      health = { successMs: clock.nowMs(), failureCount: 0, failureReason: "" };
      return done;
    } catch (error) {
      health = { ...health, failureCount: health.failureCount + 1, failureReason: reasonOf(error) };
      // Services start side by side: one that is not there yet is no fault for a while.
      if (health.successMs === undefined && isAway(error) && clock.preciseMs() - startMs < START_GRACE_MS) {
        log.info("a sweep waits for the services it needs", { sweep: name, reason: health.failureReason });
      } else {
        log.error("a sweep failed", error, { sweep: name, failure_count: health.failureCount });
      }
      throw error;
    }
  };
  const sweepAll = async () => {
    for (let rounds = 0; rounds < ROUNDS_MAX && !stopping.signal.aborted; rounds += 1) {
      const done = await run().catch(() => undefined);
      if (done === undefined || (done.takenCount < fullCount && done.hasMore !== true)) break;
    }
  };
  const loop = async () => {
    while (!stopping.signal.aborted) {
      if (guard.isSteady() && (await isDue())) await sweepAll();
      const waitMs = Math.min(INTERVAL_MS * 2 ** health.failureCount, BACKOFF_MAX_MS);
      // In step with the other sweeps, which share the question of what is due.
      const untilTickMs = waitMs - (clock.preciseMs() % INTERVAL_MS);
      await clock.sleep(untilTickMs, stopping.signal).catch(() => undefined);
    }
  };
  const looping = loop();
  return {
    run,
    health: () => health,
    stop: async () => {
      stopping.abort();
      await looping;
      await running?.catch(() => undefined);
    },
  };
}

// The words of a failure are in the log; a status says what a program can decide on.
function reasonOf(error: unknown): string {
  if (!(error instanceof ConnectError)) return "FAULT";
  return (
    refusalOf(error)?.reason ?? (Code[error.code] ?? "FAULT").replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()
  );
}
