import type { Clock } from "../services/_runtime/clock.ts";
import type { Alert } from "./health-checks.ts";

const DAY_MS = 86_400_000;

/** A person has two weeks to run `npm run certificates`; the process's log warns as early (certificates.ts). */
const WARNING_DAYS = 14;

/**
 * Finds the end of the certificates by which services prove their names over TCP. They are made together, so the edge's own
 * speaks for all; without TCP there are none.
 */
export function findCertificateAlerts(clock: Clock, expiryMs: (() => number) | undefined): Alert[] {
  if (expiryMs === undefined) return [];
  const days = Math.floor((expiryMs() - clock.nowMs()) / DAY_MS);
  if (days >= WARNING_DAYS) return [];
  const words = days < 0 ? "the certificates have ended" : `the certificates end in ${days} days`;
  return [{ reason: "CERTIFICATES_END", subject: "", words: `${words}: run npm run certificates` }];
}
