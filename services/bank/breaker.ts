import type { Connector } from "./connector.ts";

/** Keeps requests from a bank that is away, so that they go to the next bank, or fail, at once. */
export interface Breaker {
  /** Says whether a request may be tried now. */
  mayTry(): boolean;
}

/**
 * A bank out of reach for so long is away. It is three times what a request waits for a line by itself (connectors/link.ts): a restart or a
 * fail-over at the bank, which some request could still sit out, never opens the breaker. An open one costs a merchant's first try its
 * charge (`not_sent` is final then), and saves only the wait, so it errs on the side of asking.
 */
export const AWAY_MS = 10_000;

/**
 * Makes the breaker of one bank. It counts no requests: answers that are lost, late or wrong say nothing about the next one. It is open
 * exactly while the connector has had no way to the bank for AWAY_MS, and closes with the connection, which the connector makes by itself.
 */
export function createBreaker(connector: Pick<Connector, "awayMs">): Breaker {
  return { mayTry: () => connector.awayMs() < AWAY_MS };
}
