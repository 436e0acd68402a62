import type { FastifyInstance, InjectOptions } from "fastify";
import Stripe from "stripe";
import { afterAll } from "vitest";
import { systemClock } from "../../services/_runtime/clock.ts";
import { type EdgeAction, edgeActions } from "../../services/_runtime/config.ts";
import { createId } from "../../services/_runtime/ids.ts";
import { fixedKeys, type KeySource } from "../../services/_runtime/key-files.ts";
import { createMemoryLog, type MemoryLog } from "../../services/_runtime/testing/memory-log.ts";
import type { Fault } from "../../services/bank/sandbox/faults.ts";
import { startTestTripe, type TestTripe, type TestTripeOptions } from "../../services/testing.ts";
import { createEdge, type EdgeOptions } from "../edge.ts";

/** A request; without a `key` with the sandbox's, with null with none. */
export type Asked = InjectOptions & { readonly key?: string | null };

/** An answer of the edge. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Record<string, unknown> & { readonly error?: Record<string, unknown> };
}

/** An edge and how to ask it. */
export interface TestEdge {
  readonly app: FastifyInstance;
  /** Asks the edge without a port. */
  ask(options: Asked): Promise<Reply>;
}

/** What an edge may be set to. */
export type EdgeSettings = Partial<
  Pick<
    EdgeOptions,
    | "certificate"
    | "clock"
    | "concurrencyLimit"
    | "connectionLimits"
    | "hasLiveBank"
    | "pdfLinkDays"
    | "publicUrl"
    | "reach"
    | "trustedProxies"
  >
>;

/** A real Tripe with an edge in front. */
export interface Bench extends TestEdge {
  readonly tripe: TestTripe;
  readonly log: MemoryLog;
  /** Makes the bank's next request for money go wrong. */
  failNext(fault: Fault): void;
  /** Another edge over the same services, which serves these actions only. */
  edgeOf(actions: readonly EdgeAction[], settings?: EdgeSettings): TestEdge;
  /** The official SDK, over a real port of this machine. */
  stripe(config?: Partial<Stripe.StripeConfig>): Promise<Stripe>;
}

/** Starts a Tripe with an edge for a test file; both end with the file's tests. */
export async function startBench(
  options: Omit<TestTripeOptions, "log" | "nextFault"> & { readonly requestKeys?: KeySource } = {},
): Promise<Bench> {
  const log = createMemoryLog();
  const faults: Fault[] = [];
  const tripe = await startTestTripe({ ...options, log, nextFault: () => faults.shift() });
  const clients = tripe.clientsOf("edge");
  const edgeOf: Bench["edgeOf"] = (actions, settings) => {
    const { isServing } = tripe;
    // Any key will do: it has to be the same for all edges of this Tripe.
    const requestKeys = options.requestKeys ?? fixedKeys("request", Buffer.alloc(32, 7).toString("hex"));
    const app = createEdge({
      clients,
      clock: systemClock,
      log,
      createId,
      requestKeys,
      actions,
      isServing,
      reach: { loopback: "yes", closedPorts: [] },
      pdfLinkDays: 30,
      hasLiveBank: true,
      ...settings,
    });
    afterAll(() => app.close());
    return { app, ask: (asked) => ask(app, { key: tripe.secretKey, ...asked }) };
  };
  const edge = edgeOf(edgeActions);
  return {
    ...edge,
    tripe,
    log,
    edgeOf,
    failNext: (fault) => faults.push(fault),
    stripe: (config) => connectSdk(edge.app, tripe.secretKey, config),
  };
}

async function ask(app: FastifyInstance, { key, headers, ...options }: Asked): Promise<Reply> {
  const authorization = typeof key === "string" ? { authorization: `Bearer ${key}` } : {};
  const response = await app.inject({ ...options, headers: { ...authorization, ...headers } });
  const isJson = String(response.headers["content-type"]).startsWith("application/json");
  return { status: response.statusCode, headers: response.headers, body: isJson ? response.json() : {} };
}

async function connectSdk(
  app: FastifyInstance,
  key: string,
  config: Partial<Stripe.StripeConfig> = {},
): Promise<Stripe> {
  if (!app.server.listening) await app.listen({ host: "127.0.0.1", port: 0 });
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return new Stripe(key, { host: "127.0.0.1", port, protocol: "http", ...config });
}
