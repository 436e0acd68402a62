import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance, InjectOptions } from "fastify";
import Stripe from "stripe";
import { afterAll } from "vitest";
import { type Seeded, seed } from "../../services/_database/seed.ts";
import { createTestDatabase } from "../../services/_database/testing.ts";
import type { ClientOptions } from "../../services/_runtime/client.ts";
import { type Clients, contracts, createClients } from "../../services/_runtime/clients.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { type Config, type EdgeAction, readConfig } from "../../services/_runtime/config.ts";
import { createDirectTransport } from "../../services/_runtime/direct-transport.ts";
import { createHost, type Host } from "../../services/_runtime/host.ts";
import type { StartService } from "../../services/_runtime/hosting.ts";
import { createId } from "../../services/_runtime/ids.ts";
import { createSecret } from "../../services/_runtime/secret.ts";
import { createMemoryLog } from "../../services/_runtime/testing/memory-log.ts";
import type { CallerName, ServiceName } from "../../services/_runtime/topology.ts";
import { openBook } from "../../services/bank/sandbox/book.ts";
import type { Fault } from "../../services/bank/sandbox/faults.ts";
import { listenSandbox } from "../../services/bank/sandbox/server.ts";
import { startBank } from "../../services/bank/start.ts";
import { startReader } from "../../services/reader/start.ts";
import { startTransactions } from "../../services/transactions/start.ts";
import { startWriter } from "../../services/writer/start.ts";
import { createEdge } from "../edge.ts";

/** The sandbox key every bench is seeded with. */
export const SECRET_KEY = "sk_test_bench12345678";

/** What a test may change about its Tripe. */
export interface BenchOptions {
  /** Watches and holds back the calls of every caller. */
  readonly hooks?: Pick<ClientOptions, "delayMs" | "observe">;
}

/** What money needs, for real: a database of its own, the sandbox bank over TCP, four services over direct, the edge. */
export interface Bench {
  readonly app: FastifyInstance;
  readonly accounts: Seeded;
  readonly log: ReturnType<typeof createMemoryLog>;
  /** The owner's url of the database. */
  readonly ownerUrl: string;
  /** The edge's own clients. */
  readonly clients: Clients;
  /** Makes the bank's next request for money go wrong. */
  failNext(fault: Fault): void;
  /** Ends the bank: nobody listens at its port any more. */
  endBank(): Promise<void>;
  /** Takes a service away, and gives it back. */
  stop(name: ServiceName): void;
  start(name: ServiceName): void;
  /** Asks the edge without a port, with the sandbox key unless told otherwise. */
  ask(options: Asked): Promise<Reply>;
  /** Another edge over the same services, which serves these actions only. */
  edgeOf(actions: readonly EdgeAction[]): Pick<Bench, "ask" | "app">;
  /** The official SDK, over a real port of this machine. */
  stripe(config?: Partial<Stripe.StripeConfig>): Promise<Stripe>;
}

/** A request; without a `key` with the sandbox's, with null with none. */
export type Asked = InjectOptions & { readonly key?: string | null };

/** An answer of the edge. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Record<string, unknown> & { readonly error?: Record<string, unknown> };
}

/** Starts a Tripe for a test file; it ends with the file's tests. */
export async function startBench({ hooks = {} }: BenchOptions = {}): Promise<Bench> {
  const { urls } = await createTestDatabase();
  const accounts = await seed({ ownerUrl: urls.owner, secretKey: SECRET_KEY });
  const bank = await openBank();
  const log = createMemoryLog();
  const hosts = new Map<ServiceName, Host>();
  const away = new Set<ServiceName>();
  const clientsOf = (caller: CallerName) =>
    createClients({
      caller,
      clock: systemClock,
      log,
      ...hooks,
      transportFor: (name) =>
        createDirectTransport({
          host: () => (away.has(name) ? undefined : hosts.get(name)),
          clock: systemClock,
          freeze: true,
        }),
    });
  const config = await configOf(bank.port);
  const closers: (() => Promise<void>)[] = [];
  async function host<Name extends ServiceName>(name: Name, start: StartService<Name>, databaseUrl?: string) {
    const own = { ...config, ...(databaseUrl === undefined ? {} : { databaseUrl: createSecret(databaseUrl) }) };
    const started = await start({ config: own, log, clock: systemClock, clients: clientsOf(name) });
    const services = [{ service: contracts[name], implementation: started.implementation }] as const;
    hosts.set(name, createHost({ name, services, log, clock: systemClock }));
    closers.unshift(started.close);
  }
  await host("reader", startReader, urls.reader);
  await host("writer", startWriter, urls.writer);
  await host("bank", startBank);
  await host("transactions", startTransactions);
  const clients = clientsOf("edge");
  const edgeOf = (actions: readonly EdgeAction[]) => {
    const app = createEdge({
      clients,
      clock: systemClock,
      log,
      createId,
      digestKey: Buffer.alloc(32, 7),
      actions,
      isServing: async (name) => !away.has(name) && hosts.get(name)?.isServing() === true,
    });
    return { app, ask: (options: Asked) => ask(app, options) };
  };
  const { app } = edgeOf(config.edgeActions);
  afterAll(async () => {
    await app.close();
    for (const close of closers) await close();
    await bank.close().catch(() => undefined);
  });
  return {
    app,
    accounts,
    log,
    clients,
    ownerUrl: urls.owner,
    endBank: bank.close,
    failNext: (fault) => bank.faults.push(fault),
    stop: (name) => away.add(name),
    start: (name) => away.delete(name),
    edgeOf,
    ask: (options) => ask(app, options),
    stripe: (own) => connectSdk(app, own),
  };
}

async function openBank() {
  const file = join(await mkdtemp(join(tmpdir(), "tripe-edge-")), "journal");
  const faults: Fault[] = [];
  const onBroken = (error: unknown) => {
    throw error;
  };
  const book = await openBook({ file, clock: systemClock });
  const options = { book, clock: systemClock, nextFault: () => faults.shift(), onBroken };
  const sandbox = await listenSandbox(options, { host: "127.0.0.1", port: 0 });
  return { port: sandbox.port, faults, close: sandbox.close };
}

async function configOf(bankPort: number): Promise<Config> {
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-edge-"));
  return readConfig({ TRIPE_DATA_DIR: dataDir, TRIPE_BANK_ADDRESS: `127.0.0.1:${bankPort}` });
}

async function ask(app: FastifyInstance, { key = SECRET_KEY, headers, ...options }: Asked): Promise<Reply> {
  const authorization = key === null ? {} : { authorization: `Bearer ${key}` };
  const response = await app.inject({ ...options, headers: { ...authorization, ...headers } });
  const isJson = String(response.headers["content-type"]).startsWith("application/json");
  return { status: response.statusCode, headers: response.headers, body: isJson ? response.json() : {} };
}

async function connectSdk(app: FastifyInstance, config: Partial<Stripe.StripeConfig> = {}): Promise<Stripe> {
  if (!app.server.listening) await app.listen({ host: "127.0.0.1", port: 0 });
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return new Stripe(SECRET_KEY, { host: "127.0.0.1", port, protocol: "http", ...config });
}
