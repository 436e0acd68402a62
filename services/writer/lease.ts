/**
 * How long whoever begins or takes up an attempt has it to itself: the longest wait for a bank (8 s, 3-money.md) and its
 * settlement, twice over. A killed owner costs its attempt this much.
 */
export const LEASE_MS = 20_000;
