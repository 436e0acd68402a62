import { join } from "node:path";
import { type ClientsOf, contracts, createClients } from "../_runtime/clients.ts";
import type { Clock } from "../_runtime/clock.ts";
import { type Config, listenAddress } from "../_runtime/config.ts";
import { createDirectTransport } from "../_runtime/direct-transport.ts";
import type { Host } from "../_runtime/host.ts";
import type { StartedService, StartService } from "../_runtime/hosting.ts";
import { maxMessageBytesOf } from "../_runtime/limits.ts";
import { createLog, type Log } from "../_runtime/log.ts";
import { createSecret } from "../_runtime/secret.ts";
import { openListening } from "../_runtime/security.ts";
import { createServer } from "../_runtime/serve.ts";
import { type CallerName, type ServiceName, serviceNames } from "../_runtime/topology.ts";
import { startChild } from "./child.ts";
import { listProcesses, planProcess, type RoleUrls } from "./plan.ts";
import type { StartHosting } from "./processes.ts";

/** What starts each service: the same functions that its `main.ts` calls. */
export type Starts = { readonly [Name in ServiceName]: StartService<Name> };

/** What starts the edge over given clients: it listens at its address, and asks `isServing` for its health. */
export type StartEdge = (context: {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly clients: ClientsOf<"edge">;
  readonly isServing: (service: ServiceName) => Promise<boolean>;
}) => Promise<{ close(): Promise<void> }>;

/** What a co-located Tripe is made of. */
export interface CoLocatedParts {
  readonly starts: Starts;
  readonly startEdge: StartEdge;
}

/**
 * Makes the hosting in which all services and the edge share this process and call each other over the direct transport;
 * tools reach each service over gRPC, as they do when it is a process.
 * The sandbox bank stays a process of its own, as any bank is.
 */
export function createCoLocated(parts: CoLocatedParts): StartHosting {
  return ({ config, database, clock, log, say }) => {
    const bank = listProcesses(config)
      .filter((name) => name === "sandboxBank")
      .map((name) =>
        startChild(planProcess(name, config, undefined), { clock, log, say, logsDir: join(config.dataDir, "logs") }),
      );
    const inside = database.then(({ urls }) => startInside({ ...parts, config, urls, clock }));
    // Told by `broken`; nobody may be listening to it any more.
    const broken = inside.then(never);
    broken.catch((error: unknown) => log.error("the services did not start", error));
    return {
      broken,
      rows: () => [
        ...bank.map((child) => ({ name: child.plan.name, place: child.plan.address, pid: child.pid() })),
        ...serviceNames.map((name) => ({ name, place: listenAddress(config, name), pid: process.pid })),
        { name: "edge", place: listenAddress(config, "edge"), pid: process.pid },
      ],
      replace: async () => {
        throw new Error("all of this Tripe is one process, of which no part can be replaced");
      },
      stop: async () => {
        await inside.then(({ stop }) => stop()).catch(() => undefined);
        await Promise.all(bank.map((child) => child.stop()));
      },
      kill: () => {
        for (const child of bank) child.kill();
      },
    };
  };
}

interface InsideOptions extends CoLocatedParts {
  readonly config: Config;
  readonly urls: RoleUrls;
  readonly clock: Clock;
}

/** Services close in this order, after the edge: callers before those they call. */
const closeOrder: readonly ServiceName[] = [
  "scheduler",
  "transactions",
  ...serviceNames.filter((name) => name !== "scheduler" && name !== "transactions"),
];

/** Eight services, the edge, the supervisor, and what libraries add. */
const exitListenersMax = 32;

async function startInside(options: InsideOptions): Promise<{ stop(): Promise<void> }> {
  const { config, urls, clock, starts } = options;
  // Each service's log writes its last lines at the process's end: more listeners there than Node thinks healthy.
  process.setMaxListeners(exitListenersMax);
  const hosts = new Map<ServiceName, Host>();
  const closers = new Map<ServiceName, () => Promise<void>>();
  const clientsOf = <Caller extends CallerName>(caller: Caller, log: Log) =>
    createClients({
      caller,
      clock,
      log,
      transportFor: (name) => createDirectTransport({ host: () => hosts.get(name), clock }),
    });

  async function startOne<Name extends ServiceName>(name: Name, start: StartService<Name>): Promise<void> {
    const log = createLog({ ...config, name });
    const started: StartedService<Name> = await start({
      config: configOf(name, config, urls),
      log,
      clock,
      clients: clientsOf(name, log),
    });
    // What lives here calls it directly; from outside it answers at the socket of its own that it has as a process too.
    const listening = await openListening(name, { config, log, clock });
    const server = await createServer({
      name,
      services: [{ service: contracts[name], implementation: started.implementation }],
      listening,
      maxMessageBytes: maxMessageBytesOf(name),
      log,
      clock,
    });
    hosts.set(name, server.host);
    closers.set(name, async () => {
      await server.close();
      await started.close();
      await log.flush();
    });
  }

  await Promise.all(serviceNames.map((name) => startNamed(name)));
  async function startNamed<Name extends ServiceName>(name: Name): Promise<void> {
    await startOne(name, starts[name]);
  }

  const log = createLog({ ...config, name: "edge" });
  const isServing = async (name: ServiceName) => hosts.get(name)?.isServing() === true;
  const edge = await options.startEdge({ config, log, clock, clients: clientsOf("edge", log), isServing });
  return {
    stop: async () => {
      await edge.close();
      await log.flush();
      for (const name of closeOrder) await closers.get(name)?.();
    },
  };
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** As a process of its own would find it: the database's url as its own role. */
function configOf(name: ServiceName, config: Config, urls: RoleUrls): Config {
  const url = name === "reader" || name === "writer" ? urls[name] : undefined;
  return { ...config, databaseUrl: url === undefined ? undefined : createSecret(url) };
}
