import { getCompileCacheDir } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RoleName } from "../_database/role-names.ts";
import { type Config, listenAddress } from "../_runtime/config.ts";
import { settingEntries } from "../_runtime/config-table.ts";
import { type ServiceName, serviceNames } from "../_runtime/topology.ts";

/** Every process of Tripe's beside its Postgres. */
export type ProcessName = ServiceName | "edge" | "sandboxBank";

/** One process to be kept running: its program, where it listens, what it is told, and when it ends. */
export interface ProcessPlan {
  readonly name: string;
  /** The absolute path of its `main.ts`, or of what it is in the bundle. */
  readonly main: string;
  /** host:port, free before the start. */
  readonly address: string;
  /** Set for this process, or taken from it (undefined). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A bound socket of the supervisor's that it listens on, so that another can take its place without a connection refused. */
  readonly listenFd?: number | undefined;
  /** Processes of a lower number have ended before this one is told to: callers go before those they call. */
  readonly endRank: number;
}

/** What the processes need to know of the database: each role's own url. */
export type RoleUrls = Readonly<Record<RoleName, string>>;

/** Each process that connects to the database, and as whom. */
const roles: Partial<Record<ProcessName, RoleName>> = { reader: "reader", writer: "writer" };

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
  return [...(config.acquirer.isSandbox ? (["sandboxBank"] as const) : []), ...serviceNames, "edge"];
}

/**
 * Plans one process. It gets an absolute data folder, a folder for compiled code (which saves a third of its start), and
 * those settings alone that config-table.ts gives it: the database's url as its own role, or none.
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
      NODE_COMPILE_CACHE: compileCacheOf(config),
      // The settings that these follow from are not every process's.
      TRIPE_WEBHOOKS_LOOPBACK: config.webhooks.loopback === "sandbox" ? "" : config.webhooks.loopback,
      TRIPE_WEBHOOKS_CLOSED_PORTS: config.webhooks.closedPorts.join(","),
      DATABASE_URL: role === undefined ? undefined : urls?.[role],
      ...listForeignSettings(name),
    },
    endRank: endRanks[name] ?? endRankDefault,
  };
}

/** The settings that a process does not read, each to be taken from its environment. */
function listForeignSettings(name: ProcessName): Record<string, undefined> {
  const foreign = settingEntries.filter(([, { readers }]) => !readers.includes(name));
  return Object.fromEntries(foreign.map(([setting]) => [setting, undefined]));
}

/** How a process is called for people and in file names. */
export function wordOf(name: ProcessName): string {
  return name === "sandboxBank" ? "sandbox-bank" : name;
}

/** Where this process keeps compiled code, which a start as a program has chosen; tests choose none. */
function compileCacheOf({ dataDir }: Config): string {
  const own = getCompileCacheDir();
  // Node's own folder for its version and flags lies within the one that was chosen.
  return own === undefined ? join(dataDir, "cache") : dirname(own);
}

/** In the bundle all modules are in one folder, and `import.meta.url` is as in the sources. The newest bundle has a link beside. */
function mainOf(name: ProcessName): string {
  const here = import.meta.dirname;
  if (extname(import.meta.filename) === ".mjs") return join(here.replace(/-\w+$/, ""), `${wordOf(name)}.mjs`);
  if (name === "edge") return join(services, "..", "edge", "main.ts");
  if (name === "sandboxBank") return join(services, "bank", "sandbox", "main.ts");
  return join(services, name, "main.ts");
}
