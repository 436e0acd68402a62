// The longest step of our own ladder (4-billing.md): a server cannot put an event off for longer than Tripe would.
const WAIT_MAX_MS = 86_400_000;

/** Reads a Retry-After header (RFC 9110, 10.2.3), in seconds or as a date: how long to wait, in milliseconds. */
export function readRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const waitMs = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), WAIT_MAX_MS);
}
