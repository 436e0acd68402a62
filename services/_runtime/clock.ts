/** Stops a timer; harmless when it has fired already. */
export type CancelTimer = () => void;

/** Time as everything in Tripe sees it: given as an argument, so that a test can hold it. */
export interface Clock {
  /** Milliseconds since 1970, whole. */
  nowMs(): number;
  /** Milliseconds since 1970 with fractions, for measuring: it never goes back inside a process. */
  preciseMs(): number;
  /** Resolves after so many milliseconds; rejects with the signal's reason as soon as the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once, after so many milliseconds. Such a timer alone does not keep a process alive. */
  setTimer(callback: () => void, ms: number): CancelTimer;
}

/** A clock that stands still until a test moves it. */
export interface TestClock extends Clock {
  /** Moves time forward and fires, in order, every timer that falls due on the way. */
  advance(ms: number): void;
  /** Sets the time as an operator would, also backwards: no timer fires earlier or later for it. */
  setNowMs(ms: number): void;
}

// Node's timers fire at once beyond this (2^31 - 1 ms, 24.8 days); a longer wait is cut to it.
const TIMER_MAX_MS = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  preciseMs: () => performance.timeOrigin + performance.now(),
  sleep: (ms, signal) => sleepWith(systemTimer, ms, signal),
  setTimer: (callback, ms) => systemTimer(callback, ms, false),
};

/** Makes a clock for tests; it starts at 2026-01-01T00:00:00Z unless told otherwise. */
export function createTestClock(startMs = Date.UTC(2026, 0, 1)): TestClock {
  let wallMs = startMs;
  let elapsedMs = 0;
  const timers = new Set<{ dueMs: number; callback: () => void }>();
  const setTimer = (callback: () => void, ms: number): CancelTimer => {
    const timer = { dueMs: elapsedMs + Math.max(0, ms), callback };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const moveTo = (targetMs: number) => {
    wallMs += targetMs - elapsedMs;
    elapsedMs = targetMs;
  };
  return {
    nowMs: () => wallMs,
    preciseMs: () => startMs + elapsedMs,
    setTimer,
    sleep: (ms, signal) => sleepWith(setTimer, ms, signal),
    setNowMs: (ms) => {
      wallMs = ms;
    },
    advance(ms) {
      const endMs = elapsedMs + ms;
      for (let due = nextDue(timers, endMs); due !== undefined; due = nextDue(timers, endMs)) {
        moveTo(Math.max(elapsedMs, due.dueMs));
        timers.delete(due);
        due.callback();
      }
      moveTo(endMs);
    },
  };
}

function nextDue<T extends { dueMs: number }>(timers: ReadonlySet<T>, endMs: number): T | undefined {
  let first: T | undefined;
  for (const timer of timers) {
    if (timer.dueMs <= endMs && (first === undefined || timer.dueMs < first.dueMs)) first = timer;
  }
  return first;
}

function systemTimer(callback: () => void, ms: number, keepsAlive = true): CancelTimer {
  const timer = setTimeout(callback, Math.min(ms, TIMER_MAX_MS));
  if (!keepsAlive) timer.unref();
  return () => clearTimeout(timer);
}

function sleepWith(
  setTimer: (callback: () => void, ms: number) => CancelTimer,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = setTimer(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
