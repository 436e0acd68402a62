import type { FastifyInstance } from "fastify";
import type { ServiceName } from "../services/_runtime/topology.ts";
import { findCertificateAlerts } from "./certificate-alerts.ts";
import type { EdgeOptions } from "./edge.ts";
import { type Alert, createHealthChecks, type ServiceHealth } from "./health-checks.ts";

/** What money needs; the rest may be away while charges go on. */
const moneyServices: ReadonlySet<ServiceName> = new Set(["reader", "writer", "transactions", "bank"]);

/**
 * How long an answer is given again, counted from when its checks began: while all is well about a second, with the 0.9 s
 * that checks may take well below two; while something is wrong less, so that what heals is soon found.
 */
const AGE_MAX_MS = 900;
const PROBLEM_AGE_MAX_MS = 200;

/** How everything was a moment ago. */
interface Health {
  readonly services: readonly ServiceHealth[];
  readonly alerts: readonly Alert[];
}

/** Paths that machines ask all the time: a good answer is no line in the log. */
export const healthPaths: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/livez"]);

/**
 * Serves, for anybody, in plain text: `/livez` (this process), `/readyz` (money can move now: the database takes writes, the
 * bank is signed on) and `/healthz` (every service with what is wrong, and a line for each alert, which changes no status).
 * Services are asked once however many ask here, and only while somebody does.
 */
export function serveHealth(app: FastifyInstance, options: EdgeOptions): void {
  const read = createHealthCache(options);
  const serve = (path: string, find: () => Promise<Health>) =>
    app.get(path, async (_request, reply) => {
      const { services, alerts } = await find();
      const lines = services.map(({ name, problem }) =>
        problem === "" ? `${name} serving` : `${name} not serving: ${problem}`,
      );
      const status = services.every(({ problem }) => problem === "") ? 200 : 503;
      const alertLines = alerts.map(({ reason, words }) => `alert ${reason} ${words}`);
      return reply
        .code(status)
        .headers({ "cache-control": "no-store", ...(status === 503 && { "retry-after": "1" }) })
        .type("text/plain; charset=utf-8")
        .send(`${["edge serving", ...lines, ...alertLines].join("\n")}\n`);
    });
  serve("/healthz", read);
  serve("/readyz", async () => {
    const { services } = await read();
    return { services: services.filter(({ name }) => moneyServices.has(name)), alerts: [] };
  });
  serve("/livez", async () => ({ services: [], alerts: [] }));
}

function createHealthCache(options: EdgeOptions): () => Promise<Health> {
  const { clock } = options;
  const checks = createHealthChecks(options);
  const noteAlerts = createAlertLog(options);
  let known: Health = { services: [], alerts: [] };
  let endMs = Number.NEGATIVE_INFINITY;
  let running: Promise<Health> | undefined;
  const refresh = async (): Promise<Health> => {
    const startMs = clock.preciseMs();
    const services = await Promise.all(checks.map((check) => check()));
    const alerts = services.flatMap((service) => service.alerts);
    const ending = findCertificateAlerts(clock, {
      servicesExpiryMs: options.certificateExpiryMs,
      edgeValidity: options.certificate?.validity,
    });
    known = { services, alerts: distinct([...alerts, ...ending]) };
    endMs = startMs + (services.every(({ problem }) => problem === "") ? AGE_MAX_MS : PROBLEM_AGE_MAX_MS);
    running = undefined;
    noteAlerts(known.alerts);
    return known;
  };
  return async () => {
    if (clock.preciseMs() < endMs) return known;
    running ??= refresh();
    return running;
  };
}

/** Reader and writer find the same database away. */
function distinct(alerts: readonly Alert[]): Alert[] {
  return [...new Map(alerts.map((alert) => [keyOf(alert), alert])).values()];
}

function keyOf({ reason, subject }: Alert): string {
  return `${reason} ${subject}`;
}

/** Logs each condition when it begins and when it is over. What has rows of its own was logged where it was raised. */
function createAlertLog({ log }: Pick<EdgeOptions, "log">): (alerts: readonly Alert[]) => void {
  let before: ReadonlyMap<string, Alert> = new Map();
  return (alerts) => {
    const now = new Map(alerts.map((alert) => [keyOf(alert), alert]));
    for (const [key, { reason, words }] of now) if (!before.has(key)) log.warn("ALERT", { reason, words });
    for (const [key, { reason }] of before) if (!now.has(key)) log.info("an alert is over", { reason });
    before = now;
  };
}
