import { join } from "node:path";
import type { Config } from "../_runtime/config.ts";
import { listenAddress } from "../_runtime/config.ts";
import type { Row } from "./announce.ts";
import { type Child, type ChildOptions, startChild } from "./child.ts";
import type { OpenDatabase } from "./database.ts";
import { listProcesses, needsDatabase, planProcess, wordOf } from "./plan.ts";

/** Everything of Tripe's that runs beside the database. */
export interface Hosting {
  /** Rejects when it cannot come up and will not try again; never resolves. */
  readonly broken: Promise<never>;
  rows(): Row[];
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
  const children: Child[] = [];
  const childOptions = { ...options, logsDir: join(config.dataDir, "logs") };
  const names = listProcesses(config);
  let isStopping = false;
  for (const name of names.filter((one) => !needsDatabase(one))) {
    children.push(startChild(planProcess(name, config, undefined), childOptions));
  }
  void database.then(
    ({ urls }) => {
      if (isStopping) return;
      for (const name of names.filter(needsDatabase)) {
        children.push(startChild(planProcess(name, config, urls), childOptions));
      }
    },
    () => undefined,
  );
  const pidOf = (word: string) => children.find((child) => child.plan.name === word)?.pid();
  return {
    // A process that does not start is tried again, for ever.
    broken: new Promise(() => undefined),
    rows: () =>
      names.map((name) => ({ name: wordOf(name), place: listenAddress(config, name), pid: pidOf(wordOf(name)) })),
    stop: async () => {
      isStopping = true;
      await stopInOrder(children);
    },
    kill: () => {
      isStopping = true;
      for (const child of children) child.kill();
    },
  };
};

/** Ends children rank by rank: those of one rank side by side. */
export async function stopInOrder(children: readonly Child[]): Promise<void> {
  const ranks = [...new Set(children.map((child) => child.plan.endRank))].sort((a, b) => a - b);
  for (const rank of ranks) {
    await Promise.all(children.filter((child) => child.plan.endRank === rank).map((child) => child.stop()));
  }
}
