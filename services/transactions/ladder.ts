const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** 3-money.md: a lost answer is mostly found within seconds; a bank that is down, within hours. */
const LADDER_MS = [SECOND_MS, 5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS];

/**
 * How long an attempt waits after its nth try (0 for the first), in whole milliseconds: anywhere from nothing to its rung
 * (full jitter), so that what failed together does not come back together. After the last rung, hourly.
 */
export function retryDelayMs(tries: number, random: () => number): number {
  const rung = LADDER_MS[Math.min(tries, LADDER_MS.length - 1)] ?? HOUR_MS;
  return Math.floor(random() * rung);
}
