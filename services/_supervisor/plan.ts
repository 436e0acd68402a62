import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RoleName } from "../_database/roles.ts";
import { type Config, listenAddress } from "../_runtime/config.ts";
import { type ServiceName, serviceNames } from "../_runtime/topology.ts";

/** Every process of Tripe's beside its Postgres. */
export type ProcessName = ServiceName | "edge" | "sandboxBank";

/** One process to be kept running: its program, where it listens, what it is told, and when it ends. */
export interface ProcessPlan {
  readonly name: string;
  /** The absolute path of its `main.ts`. */
  readonly main: string;
  /** host:port, free before the start. */
  readonly address: string;
  /** Set for this process, or taken from it (undefined). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Processes of a lower number have ended before this one is told to: callers go before those they call. */
  readonly endRank: number;
}

/** What the processes need to know of the database: each role's own url. */
export type RoleUrls = Readonly<Record<RoleName, string>>;

/** Each process that connects to the database, and as whom. */
const roles: Partial<Record<ProcessName, RoleName>> = { reader: "reader", writer: "writer", scheduler: "scheduler" };

const endRanks: Partial<Record<ProcessName, number>> = { edge: 0, scheduler: 1, transactions: 2, sandboxBank: 4 };

/** All that call nobody and are called by those before. */
const endRankDefault = 3;

const services = fileURLToPath(new URL("..", import.meta.url));

/** Says whether a process has to wait until the database is there. */
export function needsDatabase(name: ProcessName): boolean {
  return roles[name] !== undefined;
}

/** The names of the processes of one Tripe, callees before their callers; a bank of one's own replaces the sandbox's. */
export function listProcesses(config: Config): ProcessName[] {
  const isSandbox = config.bankAddress === listenAddress(config, "sandboxBank");
  return [...(isSandbox ? (["sandboxBank"] as const) : []), ...serviceNames, "edge"];
}

/**
 * Plans one process. It gets the settings of this one, an absolute data folder, a folder for compiled code (which saves a
 * third of its start), and no secret that is not its own: the database's url as its own role, or none.
 */
export function planProcess(name: ProcessName, config: Config, urls: RoleUrls | undefined): ProcessPlan {
  const role = roles[name];
  if (role !== undefined && urls === undefined) throw new Error(`${name} is planned once the database is there`);
  return {
    name: wordOf(name),
    main: mainOf(name),
    address: listenAddress(config, name),
    environment: {
      TRIPE_DATA_DIR: config.dataDir,
      NODE_COMPILE_CACHE: join(config.dataDir, "cache"),
      TRIPE_SECRET_KEY: undefined,
      // Its default goes by the DATABASE_URL that was given to Tripe, which is not what a process gets.
      TRIPE_WEBHOOKS_LOOPBACK: config.webhooksLoopback ? "yes" : "no",
      DATABASE_URL: role === undefined ? undefined : urls?.[role],
      DATABASE_REPLICA_URL: name === "reader" ? replicaUrlOf(config, urls?.reader) : undefined,
      ...(name === "mailer" ? {} : { SMTP_URL: undefined }),
      ...(name === "bank" ? {} : { TRIPE_CARD_KEY: undefined }),
    },
    endRank: endRanks[name] ?? endRankDefault,
  };
}

/** How a process is called for people and in file names. */
export function wordOf(name: ProcessName): string {
  return name === "sandboxBank" ? "sandbox-bank" : name;
}

function mainOf(name: ProcessName): string {
  if (name === "edge") return join(services, "..", "edge", "main.ts");
  if (name === "sandboxBank") return join(services, "bank", "sandbox", "main.ts");
  return join(services, name, "main.ts");
}

/** The standby has the roles of its primary. */
function replicaUrlOf(config: Config, primaryUrl: string | undefined): string | undefined {
  const replica = config.databaseReplicaUrl?.reveal();
  if (replica === undefined || primaryUrl === undefined) return undefined;
  const [url, own] = [new URL(replica), new URL(primaryUrl)];
  url.username = own.username;
  url.password = own.password;
  return url.href;
}
