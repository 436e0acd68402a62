import type { FastifyInstance } from "fastify";
import { type ServiceName, serviceNames } from "../services/_runtime/topology.ts";
import type { EdgeOptions } from "./edge.ts";

// What money needs; the rest may be away while charges go on.
const moneyServices: readonly ServiceName[] = ["reader", "writer", "transactions", "bank"];

/** A health check that waits for longer says more of the database than of the services. */
const ALERTS_MAX_MS = 500;

/**
 * Serves `/healthz` (all services, and a line for each reason for which something waits for a person), `/readyz` (those money
 * needs) and `/livez` (this process), for anybody, in plain text. An alert changes no status: everything serves.
 */
export function serveHealth(app: FastifyInstance, options: Pick<EdgeOptions, "isServing" | "clients">): void {
  const serve = (path: string, names: readonly ServiceName[], readMore = async (): Promise<string[]> => []) =>
    app.get(path, async (_request, reply) => {
      const [states, more] = await Promise.all([
        Promise.all(names.map(async (name) => ({ name, serving: await options.isServing(name) }))),
        readMore(),
      ]);
      const lines = states.map(({ name, serving }) => `${name} ${serving ? "serving" : "not serving"}`);
      const status = states.every(({ serving }) => serving) ? 200 : 503;
      return reply
        .code(status)
        .type("text/plain; charset=utf-8")
        .send(`${["edge serving", ...lines, ...more].join("\n")}\n`);
    });
  serve("/healthz", serviceNames, () => readAlerts(options));
  serve("/readyz", moneyServices);
  serve("/livez", []);
}

/** Without a reader there is a line about the reader, and nothing to say of alerts. */
async function readAlerts({ clients }: Pick<EdgeOptions, "clients">): Promise<string[]> {
  try {
    const { counts } = await clients.reader.countAlerts({}, { timeoutMs: ALERTS_MAX_MS });
    return counts.map(({ reason, count }) => `alert ${reason} ${count}`);
  } catch {
    return [];
  }
}
