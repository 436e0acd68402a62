import type { FastifyInstance } from "fastify";
import { type ServiceName, serviceNames } from "../services/_runtime/topology.ts";
import type { EdgeOptions } from "./edge.ts";

// What money needs; the rest may be away while charges go on.
const moneyServices: readonly ServiceName[] = ["reader", "writer", "transactions", "bank"];

/** Serves `/healthz` (all services), `/readyz` (those money needs) and `/livez` (this process), for anybody, in plain text. */
export function serveHealth(app: FastifyInstance, { isServing }: Pick<EdgeOptions, "isServing">): void {
  const serve = (path: string, names: readonly ServiceName[]) =>
    app.get(path, async (_request, reply) => {
      const states = await Promise.all(names.map(async (name) => ({ name, serving: await isServing(name) })));
      const lines = states.map(({ name, serving }) => `${name} ${serving ? "serving" : "not serving"}`);
      const status = states.every(({ serving }) => serving) ? 200 : 503;
      return reply
        .code(status)
        .type("text/plain; charset=utf-8")
        .send(`${["edge serving", ...lines].join("\n")}\n`);
    });
  serve("/healthz", serviceNames);
  serve("/readyz", moneyServices);
  serve("/livez", []);
}
