import type { BoundSocket } from "node:net";
import { join } from "node:path";
import { isSocketAddress } from "../_runtime/addresses.ts";
import type { Config } from "../_runtime/config.ts";
import { listenAddress } from "../_runtime/config.ts";
import { splitHostPort } from "../_runtime/host-port.ts";
import type { Row } from "./announce.ts";
import { bindEdge } from "./bind-edge.ts";
import { type Child, type ChildOptions, startChild } from "./child.ts";
import type { OpenDatabase } from "./database.ts";
import { listProcesses, needsDatabase, type ProcessName, planProcess, wordOf } from "./plan.ts";
import type { ReplaceableName } from "./replaceable.ts";

/** Everything of Tripe's that runs beside the database. */
export interface Hosting {
  /** Rejects when it cannot come up and will not try again; never resolves. */
  readonly broken: Promise<never>;
  rows(): Row[];
  /** Replaces one process by another of today's program; rejects, with the reason in words, where the former one goes on. */
  replace(name: ReplaceableName): Promise<void>;
  /** The edge ends first, then each before those it calls. */
  stop(): Promise<void>;
  /** Ends everything at once, in the middle of whatever it does. */
  kill(): void;
}

/** What a hosting is started with; services that need no database may start before it is there. */
export interface HostingOptions extends Omit<ChildOptions, "logsDir"> {
  readonly config: Config;
  readonly database: Promise<OpenDatabase>;
}

/** Starts all services and the edge, and returns at once; who wants to know whether they serve asks the edge's health. */
export type StartHosting = (options: HostingOptions) => Hosting;

/** Starts every process of Tripe: those that need no database at once, the others when it is there. */
export const startProcesses: StartHosting = ({ config, database, ...options }) => {
  const children = new Map<ProcessName, Child>();
  const childOptions = { ...options, logsDir: join(config.dataDir, "logs") };
  const names = listProcesses(config);
  let isStopping = false;
  const start = (name: ProcessName, details: { urls?: OpenDatabase["urls"]; listenFd?: number | undefined } = {}) => {
    if (isStopping) return;
    const plan = { ...planProcess(name, config, details.urls), listenFd: details.listenFd };
    children.set(name, startChild(plan, childOptions));
  };
  for (const name of names.filter((one) => !needsDatabase(one) && one !== "edge")) start(name);
  let edgeSocket: BoundSocket | undefined;
  const bound = bindEdge(splitHostPort(listenAddress(config, "edge"))).then(
    (socket) => {
      edgeSocket = socket;
    },
    // Taken in the last moment: the edge tries again, and says so.
    () => undefined,
  );
  void bound.then(() => start("edge", { listenFd: edgeSocket?.fd() }));
  void database.then(
    ({ urls }) => {
      for (const name of names.filter(needsDatabase)) start(name, { urls });
    },
    () => undefined,
  );
  return {
    // A process that does not start is tried again, for ever.
    broken: new Promise(() => undefined),
    rows: () =>
      names.map((name) => ({ name: wordOf(name), place: listenAddress(config, name), pid: children.get(name)?.pid() })),
    replace: async (name) => {
      const child = children.get(name);
      if (child === undefined) throw new Error(`${name} does not run now`);
      refuseTakenPort(child, config, edgeSocket);
      await child.replace();
    },
    stop: async () => {
      isStopping = true;
      await stopInOrder([...children.values()]);
    },
    kill: () => {
      isStopping = true;
      for (const child of children.values()) child.kill();
    },
  };
};

/** Two processes share no port, unless it is a socket of ours that both were given. */
function refuseTakenPort({ plan }: Child, { servicesHost }: Config, edgeSocket: BoundSocket | undefined): void {
  if (isSocketAddress(plan.address)) return;
  if (plan.name === "edge" && edgeSocket !== undefined) return;
  const why = plan.name === "edge" ? "this system hands on no sockets" : `TRIPE_SERVICES_HOST is ${servicesHost}`;
  throw new Error(`${plan.name} listens on ${plan.address}, a port that it cannot share with another (${why})`);
}

/** Ends children rank by rank: those of one rank side by side. */
export async function stopInOrder(children: readonly Child[]): Promise<void> {
  const ranks = [...new Set(children.map((child) => child.plan.endRank))].sort((a, b) => a - b);
  for (const rank of ranks) {
    await Promise.all(children.filter((child) => child.plan.endRank === rank).map((child) => child.stop()));
  }
}
