// The longest step of our own ladder (4-billing.md): a server cannot put an event off for longer than Tripe would.
const WAIT_MAX_MS = 86_400_000;

/** A date as RFC 9110, 5.6.7 has it (IMF-fixdate): "Sun, 06 Nov 1994 08:49:37 GMT". */
const IMF_FIXDATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads a Retry-After header (RFC 9110, 10.2.3), digits of seconds or a date: how long to wait, in milliseconds. Undefined
 * for anything else: what `Date.parse` makes of "1.5" is a day in 2001.
 */
export function readRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const words = header?.trim() ?? "";
  if (/^\d+$/.test(words)) return Math.min(Number(words) * 1_000, WAIT_MAX_MS);
  if (!IMF_FIXDATE.test(words)) return undefined;
  const waitMs = Date.parse(words) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), WAIT_MAX_MS);
}
