import type { Clock } from "../_runtime/clock.ts";

/** Keeps requests from a bank that does not answer, so that they fail over, or fail, at once. */
export interface Breaker {
  /** Says whether a request may be tried now. While open, one request after each pause may, to see whether the bank is back. */
  mayTry(): boolean;
  /** Notes that the bank answered, or did not. */
  note(didAnswer: boolean): void;
}

/** So many requests in a row without an answer open it: one or two can be the requests' own bad luck. */
const FAILURES_MAX = 5;
/** How long it stays open before a request is tried: a bank that restarts is back in about a second. */
const PAUSE_MS = 1_000;

/** Makes the breaker of one bank, closed. */
export function createBreaker(clock: Clock): Breaker {
  let failures = 0;
  let nextTryMs = 0;
  return {
    mayTry() {
      if (failures < FAILURES_MAX) return true;
      const nowMs = clock.preciseMs();
      if (nowMs < nextTryMs) return false;
      nextTryMs = nowMs + PAUSE_MS;
      return true;
    },
    note(didAnswer) {
      failures = didAnswer ? 0 : failures + 1;
      if (failures === FAILURES_MAX) nextTryMs = clock.preciseMs() + PAUSE_MS;
    },
  };
}
