import type { Clock } from "../services/_runtime/clock.ts";

// Wrong keys one client may try in the window before it must wait: a person's slips, not a search.
const FAILED_MAX = 20;
const WINDOW_MS = 1_000;

// Clients counted at once. A search from more addresses than this is slowed by the look-ups' bounds alone.
const CLIENTS_MAX = 10_000;

/** Counts wrong keys by client; right ones are never counted. */
export interface FailedKeyLimiter {
  /** Counts one wrong key; false when the client has tried too many in the last second. */
  count(client: string): boolean;
}

/** Makes a limiter. One window for all clients, cleared when it ends: bounded, and good enough to slow a search. */
export function createFailedKeyLimiter(clock: Clock): FailedKeyLimiter {
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
      return count <= FAILED_MAX;
    },
  };
}
