import type { Attempt } from "../../gen/tripe/billing/v1/attempt_pb.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** 3-money.md: a lost answer is mostly found within seconds; a bank that is down, within hours. */
const LADDER_MS = [SECOND_MS, 5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS];

/** How long a bank is asked what became of a charge before Tripe gives up (3-money.md): a long weekend. */
export const GIVE_UP_MS = 72 * HOUR_MS;

/** Beyond those hours a bank is asked once a day: nobody waits for the answer, but the truth must be booked. */
const OVERDUE_EVERY_MS = 24 * HOUR_MS;

/** Beyond this a bank is not waited for, however patient the caller (3-money.md: the client waits 8 s at most). */
export const BANK_WAIT_MAX_MS = 7_500;

/**
 * How long an attempt waits until its bank is asked again, in whole milliseconds: after its nth try anywhere from nothing to
 * the rung of that try (full jitter), so that what failed together does not come back together. After the last rung, hourly;
 * after 72 hours, daily.
 */
export function retryDelayMs({ tries, ageMs }: Pick<Attempt, "tries" | "ageMs">, random: () => number): number {
  if (ageMs >= BigInt(GIVE_UP_MS)) return OVERDUE_EVERY_MS;
  const rung = LADDER_MS[Math.min(tries, LADDER_MS.length - 1)] ?? HOUR_MS;
  return Math.floor(random() * rung);
}
