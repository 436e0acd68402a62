import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";

import { afterAll } from "vitest";
import { seed } from "./_database/seed.ts";
import { createTestDatabase, type TestDatabase } from "./_database/testing.ts";
import type { ClientOptions } from "./_runtime/client.ts";
import { type ClientsOf, contracts, createClients } from "./_runtime/clients.ts";
import { systemClock } from "./_runtime/clock.ts";
import { type Config, readConfig } from "./_runtime/config.ts";
import type { FeeSettings } from "./_runtime/config-fee.ts";
import type { Dialing } from "./_runtime/dialing.ts";
import { createDirectTransport } from "./_runtime/direct-transport.ts";
import { createHost, type Host } from "./_runtime/host.ts";
import type { StartService } from "./_runtime/hosting.ts";
import { makeKeyFiles } from "./_runtime/key-files.ts";
import { createLaneTransport } from "./_runtime/lane-transport.ts";
import { maxMessageBytesOf } from "./_runtime/limits.ts";
import { type Log, silentLog } from "./_runtime/log.ts";
import { createSecret } from "./_runtime/secret.ts";
import { openDialing, openListening } from "./_runtime/security.ts";
import { createServer } from "./_runtime/serve.ts";
import type { ServiceTransport } from "./_runtime/service-transport.ts";

import { createMemoryFolder } from "./_runtime/testing/memory-folder.ts";
import { writeTokenFiles } from "./_runtime/token-files.ts";
import { type CallerName, type ServiceName, serviceNames } from "./_runtime/topology.ts";

import { openBook } from "./bank/sandbox/book.ts";
import { type NextFault, NO_FAULTS } from "./bank/sandbox/faults.ts";
import { listenSandbox, type Sandbox } from "./bank/sandbox/server.ts";
import { statementFile } from "./bank/sandbox/statement.ts";
import { startBank } from "./bank/start.ts";
import { isTestPassword, testPassword } from "./bank/testing/password.ts";
import { startMailer } from "./mailer/start.ts";
import { startPdf } from "./pdf/start.ts";
import { startReader } from "./reader/start.ts";
import { startTransactions } from "./transactions/start.ts";
import { startWebhooks } from "./webhooks/start.ts";
import { startWriter } from "./writer/start.ts";

/** How a test wants its Tripe. */
export interface TestTripeOptions {
  /** What carries the calls; default direct. Everything else is the same. */
  readonly wiring?: "direct" | "grpc";
  /** Told of every finished call between services. */
  readonly observe?: ClientOptions["observe"];
  /** Holds calls back, in milliseconds. */
  readonly delayMs?: ClientOptions["delayMs"];
  /** What goes wrong at the bank; default nothing. */
  readonly nextFault?: NextFault;
  /** How long the bank's refunds are in progress that end later; default as in the sandbox bank. */
  readonly bankRefundMs?: number;
  readonly log?: Log;
  /** What Tripe keeps of a charge; default 2.9 % and 0.30, so that the books of every test have fees. */
  readonly fee?: FeeSettings;
  /** TRIPE_ACQUIRER_ADDRESS and its files, for another bank than the sandbox bank. */
  readonly acquirer?: Readonly<Record<string, string>>;
  /** Where it listens and how services call each other: PORT, TRIPE_SERVICES_HOST and so on. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where its tables are, with its roles; default a fresh database of the run's own Postgres. */
  readonly database?: TestDatabase;
  /** The mail server; default the folder `mail` in the data dir. */
  readonly smtpUrl?: string;
}

/** A whole Tripe but for the edge: real database, real bank on a real socket, every service. */
export interface TestTripe {
  /** The sandbox account. */
  readonly accountId: string;
  readonly liveAccountId: string;
  /** The sandbox account's secret key. */
  readonly secretKey: string;
  readonly database: TestDatabase;
  readonly config: Config;
  /** Clients that call as somebody: the edge, unless told otherwise. */
  clientsOf<Caller extends CallerName>(caller: Caller): ClientsOf<Caller>;
  /** Whether a service answers; for the edge's health. */
  isServing(name: ServiceName): Promise<boolean>;
  /** Takes a service away at once, as kill -9 does, or brings it back. */
  stopService(name: ServiceName): Promise<void>;
  startService(name: ServiceName): Promise<void>;
  /** Takes the bank away, or brings it back on the same port and the same book. */
  stopBank(): Promise<void>;
  startBank(): Promise<void>;
  /** The bank's book, for `readStatement`. */
  readonly statementFile: string;
}

const testFee: FeeSettings = { basisPoints: 290, fixedMinor: 30 };

type Starts = { readonly [Name in ServiceName]?: StartService<Name> };

const starts: Starts = {
  reader: startReader,
  writer: startWriter,
  bank: startBank,
  transactions: startTransactions,
  pdf: startPdf,
  mailer: startMailer,
  webhooks: startWebhooks,
};

interface Served {
  transportOf(caller: CallerName): ServiceTransport;
  stop(): Promise<void>;
}

/** Starts a Tripe for one test file and ends it after that file's tests. */
export async function startTestTripe(options: TestTripeOptions = {}): Promise<TestTripe> {
  const log = options.log ?? silentLog;
  const secretKey = "sk_test_4eC39HqLyjWDarjtT1zdp7dc";
  const [database, dataDir] = await Promise.all([
    options.database ?? createTestDatabase(),
    createMemoryFolder("tripe-"),
  ]);
  const seeded = await seed({ ownerUrl: database.urls.owner, secretKey, fee: options.fee ?? testFee });
  const [bank] = await Promise.all([openTestBank(dataDir, options), makeKeyFiles(dataDir)]);
  const { smtpUrl } = options;
  const config = readConfig({
    TRIPE_DATA_DIR: dataDir,
    TRIPE_ACQUIRER_ADDRESS: bank.address,
    // A bank of one's own wants none.
    ...(options.acquirer === undefined && { TRIPE_ACQUIRER_PASSWORD: testPassword }),
    TRIPE_LIVE_ACQUIRER_ADDRESS: bank.address,
    TRIPE_LIVE_ACQUIRER_PASSWORD: testPassword,
    ...options.acquirer,
    ...options.settings,
    ...(smtpUrl !== undefined && { SMTP_URL: smtpUrl }),
  });
  await writeTokenFiles(dataDir, randomBytes(32));
  const dialings = new Map<CallerName, Dialing>();
  for (const name of ["edge", "operator", ...serviceNames] as const) {
    dialings.set(name, await openDialing(name, { config, log, clock: systemClock }));
  }
  const served = new Map<ServiceName, Served>();
  const clientsOf = <Caller extends CallerName>(caller: Caller) =>
    createClients({
      caller,
      clock: systemClock,
      log,
      ...(options.observe && { observe: options.observe }),
      ...(options.delayMs && { delayMs: options.delayMs }),
      transportFor: (name) => lookUp(() => served.get(name)?.transportOf(caller)),
    });
  const startService = async (name: ServiceName) => {
    const url = name === "reader" || name === "writer" ? database.urls[name] : undefined;
    const own = { ...config, databaseUrl: url === undefined ? undefined : createSecret(url) };
    const context = { config: own, log, clock: systemClock, clients: clientsOf(name) };
    served.set(name, await serve({ name, context, wiring: options.wiring ?? "direct", dialings }));
  };
  const stopService = async (name: ServiceName) => {
    await served.get(name)?.stop();
    served.delete(name);
  };
  for (const name of Object.keys(starts) as ServiceName[]) await startService(name);
  afterAll(async () => {
    for (const name of [...served.keys()].reverse()) await stopService(name);
    await bank.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    accountId: seeded.sandboxAccountId,
    liveAccountId: seeded.liveAccountId,
    secretKey,
    database,
    config,
    clientsOf,
    isServing: async (name) => (await served.get(name)?.transportOf("edge").isServing(500)) === true,
    stopService,
    startService,
    stopBank: bank.stop,
    startBank: bank.start,
    statementFile: statementFile(dataDir),
  };
}

async function serve<Name extends ServiceName>({
  name,
  context,
  wiring,
  dialings,
}: {
  name: Name;
  context: Parameters<StartService<Name>>[0];
  wiring: "direct" | "grpc";
  dialings: ReadonlyMap<CallerName, Dialing>;
}): Promise<Served> {
  const start: StartService<Name> | undefined = starts[name];
  if (start === undefined) throw new Error(`no start for ${name}`);
  const { implementation, close } = await start(context);
  const { log, clock } = context;
  const services = [{ service: contracts[name], implementation }] as const;
  if (wiring === "direct") {
    const host: Host = createHost({ name, services, log, clock });
    const transport = createDirectTransport({ host: () => host, clock, freeze: true });
    return { transportOf: () => transport, stop: async () => void (await host.drain().then(close)) };
  }
  const maxMessageBytes = maxMessageBytesOf(name);
  const listening = await openListening(name, context);
  const server = await createServer({ name, services, listening, log, clock, maxMessageBytes });
  const transports = new Map(
    [...dialings].map(([caller, dialing]) => [
      caller,
      createLaneTransport({ name, addresses: context.config.addresses[name], dialing, maxMessageBytes }),
    ]),
  );
  return {
    transportOf(caller) {
      const transport = transports.get(caller);
      if (transport === undefined) throw new Error(`no transport of ${caller}`);
      return transport;
    },
    stop: async () => {
      await server.close();
      await close();
      for (const transport of transports.values()) transport.close();
    },
  };
}

/** A transport that is looked up at each call: a service may be taken away and come back elsewhere. */
function lookUp(find: () => ServiceTransport | undefined): ServiceTransport {
  const none = createDirectTransport({ host: () => undefined, clock: systemClock });
  const current = () => find() ?? none;
  return {
    unary: (...call) => current().unary(...call),
    stream: (...call) => current().stream(...call),
    ready: (...call) => current().ready(...call),
    isServing: (...call) => current().isServing(...call),
    close: () => {},
  };
}

async function openTestBank(dataDir: string, { nextFault = NO_FAULTS, bankRefundMs }: TestTripeOptions) {
  const open = async (port: number): Promise<Sandbox> => {
    const refunds = bankRefundMs === undefined ? {} : { refundMs: bankRefundMs };
    const book = await openBook({ file: statementFile(dataDir), clock: systemClock, ...refunds });
    const onBroken = (error: unknown) => {
      throw error;
    };
    return listenSandbox(
      { book, clock: systemClock, nextFault, isPassword: isTestPassword, onBroken },
      { host: "127.0.0.1", port },
    );
  };
  let current: Sandbox | undefined = await open(0);
  const { port } = current;
  return {
    address: `127.0.0.1:${port}`,
    stop: async () => {
      await current?.close();
      current = undefined;
    },
    start: async () => {
      current = await open(port);
    },
  };
}
