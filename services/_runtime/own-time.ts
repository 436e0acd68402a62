import type { Span } from "./call.ts";

/** Calls that wait for systems of others, and show how busy those are. */
const OTHERS = /^(bank|mailer)\./;

/** What work that took so long took of Tripe's own time: without its calls to the bank and to mail servers. */
export function ownMsOf(spans: readonly Span[], elapsedMs: number): number {
  const othersMs = spans.reduce((sum, { name, ms }) => sum + (OTHERS.test(name) ? ms : 0), 0);
  return Math.max(0, elapsedMs - othersMs);
}
