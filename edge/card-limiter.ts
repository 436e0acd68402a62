import type { Clock } from "../services/_runtime/clock.ts";
import { clientOf } from "./client-address.ts";

// A person makes a slip or two; more cards a minute are somebody trying stolen ones.
const CARDS_MAX = 20;
const WINDOW_MS = 60_000;

// Addresses counted at once: bounded, and far above the customers who pay within one minute of an edge.
const CLIENTS_MAX = 10_000;

/** Counts the cards that an address gives with publishable keys. */
export interface CardLimiter {
  /** Counts one card; false when the address has given too many in this minute. */
  count(address: string): boolean;
}

/** Makes a limiter: windows of a minute, one for all addresses. */
export function createCardLimiter(clock: Clock): CardLimiter {
  const counts = new Map<string, number>();
  let endMs = 0;
  return {
    count(address) {
      if (clock.nowMs() >= endMs || counts.size > CLIENTS_MAX) {
        counts.clear();
        endMs = clock.nowMs() + WINDOW_MS;
      }
      const client = clientOf(address);
      const count = (counts.get(client) ?? 0) + 1;
      counts.set(client, count);
      return count <= CARDS_MAX;
    },
  };
}
