import type { Clock } from "../services/_runtime/clock.ts";

const WINDOW_MS = 1_000;

// Clients counted at once: beyond this all begin anew, so that no flood of addresses fills the memory.
const CLIENTS_MAX = 10_000;

/** Counts what clients do in a second. */
export interface RateLimiter {
  /** Counts one of a client's; false when it was more in this second than it may be. */
  count(client: string): boolean;
}

/** Makes a limiter of so many a second and client. One window for all, cleared when it ends: bounded, and good enough. */
export function createRateLimiter({ clock, perSecondMax }: { clock: Clock; perSecondMax: number }): RateLimiter {
  const counts = new Map<string, number>();
  let endMs = 0;
  return {
    count(client) {
      if (clock.nowMs() >= endMs || counts.size > CLIENTS_MAX) {
        counts.clear();
        endMs = clock.nowMs() + WINDOW_MS;
      }
      const count = (counts.get(client) ?? 0) + 1;
      counts.set(client, count);
      return count <= perSecondMax;
    },
  };
}

/** A program that asks again at once asks once a second when its refusals come after as long; waiting costs next to nothing. */
export const REFUSAL_DELAY_MS = 1_000;
