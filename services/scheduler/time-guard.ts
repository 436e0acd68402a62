import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";

// A day, and the hour by which the longest day of the year differs: no clock that is kept right ever moves further.
const JUMP_MAX_MS = 25 * 3_600_000;

/** Watches the machine's clock between two looks. */
export interface TimeGuard {
  /**
   * Says whether time has gone on as it should since the last look. When the clock was set back, or by more than 25 hours
   * ahead, it says no once and logs an alert: a wrong date must not renew a year of subscriptions before somebody looks.
   */
  isSteady(): boolean;
}

/** Makes a guard that compares what the clock shows with the time that really passed. */
export function createTimeGuard({ clock, log }: { clock: Clock; log: Log }): TimeGuard {
  let last = { wallMs: clock.nowMs(), elapsedMs: clock.preciseMs() };
  return {
    isSteady() {
      const now = { wallMs: clock.nowMs(), elapsedMs: clock.preciseMs() };
      const aheadMs = now.wallMs - last.wallMs - (now.elapsedMs - last.elapsedMs);
      const isBack = now.wallMs < last.wallMs;
      last = now;
      if (!isBack && aheadMs <= JUMP_MAX_MS) return true;
      const cause = new Error(`the clock was set ${isBack ? "back" : "ahead"}`);
      log.error("ALERT: time jumped; sweeps pause for one round", cause, { ahead_ms: Math.round(aheadMs) });
      return false;
    },
  };
}
