import { setImmediate as nextTurn } from "node:timers/promises";
import type { CancelTimer, Clock } from "../../../services/_runtime/clock.ts";
import type { Random } from "../random.ts";

/** One life of a process: what it waits for is not resumed once it is over, as if the process had been killed. */
export interface Life {
  readonly name: string;
  isOver: boolean;
  /** Until when it stands still, as after SIGSTOP, in the simulation's milliseconds; 0 when it does not. */
  asleepUntilMs: number;
}

/** Makes a life that has just begun. */
export function createLife(name: string): Life {
  return { name, isOver: false, asleepUntilMs: 0 };
}

/** What decides in which order everything happens: one thing at a time, by chance that a seed repeats. */
export interface Fate {
  readonly random: Random;
  /** Everything that has happened: when, in whose life, what. The same seed gives the same, to the byte. */
  readonly trace: readonly string[];
  nowMs(): number;
  /** Waits until it is this life's turn, then does the work while nothing else happens; never ends in a life that is over. */
  turn<Value>(life: Life, what: string, work: () => Value | Promise<Value>): Promise<Value>;
  /** The clock as a life sees it: its timers stop with it. */
  clockOf(life: Life): Clock;
  /** Lets things happen until the work is done; rejects when it failed, or when nothing can happen any more. */
  run<Value>(work: Promise<Value>): Promise<Value>;
}

interface Pending {
  readonly life: Life;
  readonly what: string;
  /** Does the work and hands on what came of it, unless the life has ended meanwhile. */
  readonly happen: () => Promise<void>;
}

/** What happens before each turn: crashes and pauses are decided there. */
export type BeforeTurn = () => void;

/** A run takes some thousand turns; beyond this it goes round in circles. */
const TURNS_MAX = 200_000;

/**
 * The shortest sleep, as on a machine that is slow: the writer looks every 50 ms whether an equal request has its answer,
 * and forty looks would be most of what a run costs.
 */
const SLEEP_MIN_MS = 350;

/** Makes the fate of one run, whose time begins at `startMs`. */
export function createFate(random: Random, startMs: number, beforeTurn: BeforeTurn = () => {}): Fate {
  const trace: string[] = [];
  const timers = createTimers();
  let pending: Pending[] = [];
  let nowMs = startMs;
  const setTimer = (life: Life, callback: () => void, ms: number) =>
    timers.add({ life, callback, dueMs: nowMs + Math.max(0, Math.ceil(ms)) });
  const isAwake = ({ life }: { life: Life }) => life.asleepUntilMs <= nowMs;
  const wakeMs = () => Math.min(...pending.map(({ life }) => life.asleepUntilMs));
  /** One thing that can happen now, or else time goes on; false when nothing will ever happen again. */
  const step = async (): Promise<boolean> => {
    pending = pending.filter(({ life }) => !life.isOver);
    const ready = pending.filter(isAwake);
    const chosen = ready[Math.floor(random.next() * ready.length)];
    if (chosen !== undefined) {
      pending.splice(pending.indexOf(chosen), 1);
      trace.push(`${nowMs - startMs} ${chosen.life.name} ${chosen.what}`);
      await chosen.happen();
      return true;
    }
    const next = timers.next();
    if (next === undefined && pending.length === 0) return false;
    nowMs = Math.max(nowMs, Math.min(next?.atMs ?? Number.POSITIVE_INFINITY, wakeMs()));
    if (next !== undefined && next.atMs <= nowMs) {
      next.fire();
    }
    return true;
  };
  return {
    random,
    trace,
    nowMs: () => nowMs,
    turn: (life, what, work) =>
      new Promise((resolve, reject) => {
        const happen = async () => {
          try {
            const value = await work();
            if (!life.isOver) resolve(value);
          } catch (error) {
            if (!life.isOver) reject(error);
          }
        };
        pending.push({ life, what, happen });
      }),
    clockOf: (life) => ({
      nowMs: () => nowMs,
      preciseMs: () => nowMs,
      setTimer: (callback, ms) => setTimer(life, callback, ms),
      sleep: async (ms, signal) => {
        if (ms > 0) await sleepWith((callback) => setTimer(life, callback, Math.max(ms, SLEEP_MIN_MS)), signal);
      },
    }),
    async run(work) {
      let isDone = false;
      const ended = work.finally(() => (isDone = true));
      ended.catch(() => undefined);
      for (let turns = 0; !isDone; turns += 1) {
        // All that follows from the last thing, up to where it waits for its turn or for time, is over by then.
        await nextTurn();
        if (isDone) break;
        beforeTurn();
        if (turns > TURNS_MAX) throw new Error(`not over after ${TURNS_MAX} turns`);
        if (!(await step())) throw new Error("nothing can happen any more, and somebody still waits");
      }
      return ended;
    },
  };
}

interface Timer {
  readonly life: Life;
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Everybody's timers, and which of them fires next, and when. */
function createTimers() {
  const timers = new Set<Timer>();
  return {
    add(timer: Timer): CancelTimer {
      timers.add(timer);
      return () => timers.delete(timer);
    },
    next(): { atMs: number; fire: () => void } | undefined {
      let next: { timer: Timer; atMs: number } | undefined;
      for (const timer of timers) {
        // What falls due while its life sleeps comes when it wakes.
        const atMs = Math.max(timer.dueMs, timer.life.asleepUntilMs);
        if (timer.life.isOver) timers.delete(timer);
        else if (next === undefined || atMs < next.atMs) next = { timer, atMs };
      }
      if (next === undefined) return undefined;
      const { timer, atMs } = next;
      const fire = () => {
        timers.delete(timer);
        timer.callback();
      };
      return { atMs, fire };
    },
  };
}

function sleepWith(set: (callback: () => void) => CancelTimer, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = set(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
