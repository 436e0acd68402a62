import type { Clock } from "../services/_runtime/clock.ts";
import type { Alert } from "./health-checks.ts";
import type { Validity } from "./http-server.ts";

const DAY_MS = 86_400_000;

/** A person has two weeks to run `npm run certificates`; the process's log warns as early (certificates.ts). */
const WARNING_DAYS = 14;

/** Programs that renew public certificates do so when a third of their time is left: at a quarter something is wrong. */
const WARNING_SHARE = 0.25;

/** The certificates that an edge knows of. */
export interface KnownCertificates {
  /**
   * When those end by which services prove their names over TCP. They are made together, so the edge's own speaks for all;
   * undefined without TCP.
   */
  readonly servicesExpiryMs: (() => number) | undefined;
  /** How long the one of TRIPE_TLS_CERT holds; undefined where the edge speaks HTTP. */
  readonly edgeValidity: (() => Validity) | undefined;
}

/** Finds certificates that end soon: within 14 days, or in the last quarter of a public one that holds for less than 56. */
export function findCertificateAlerts(clock: Clock, { servicesExpiryMs, edgeValidity }: KnownCertificates): Alert[] {
  const reason = "CERTIFICATES_END";
  const alerts: Alert[] = [];
  if (servicesExpiryMs !== undefined) {
    const days = daysUntil(servicesExpiryMs(), clock);
    const words = days < 0 ? "the certificates have ended" : `the certificates end in ${days} days`;
    if (days < WARNING_DAYS) alerts.push({ reason, subject: "", words: `${words}: run npm run certificates` });
  }
  if (edgeValidity !== undefined) {
    const { fromMs, toMs } = edgeValidity();
    const days = daysUntil(toMs, clock);
    const words = days < 0 ? "has ended" : `ends in ${days} days`;
    const subject = "TRIPE_TLS_CERT";
    const warningMs = Math.min(WARNING_DAYS * DAY_MS, (toMs - fromMs) * WARNING_SHARE);
    if (toMs - clock.nowMs() < warningMs) {
      alerts.push({ reason, subject, words: `the certificate of ${subject} ${words}: replace its files` });
    }
  }
  return alerts;
}

function daysUntil(endMs: number, clock: Clock): number {
  return Math.floor((endMs - clock.nowMs()) / DAY_MS);
}
