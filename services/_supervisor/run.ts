import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Clock, systemClock } from "../_runtime/clock.ts";
import { type Config, listenAddress, readConfig } from "../_runtime/config.ts";
import { createLog, type Log } from "../_runtime/log.ts";
import { announce } from "./announce.ts";
import { type OpenDatabase, type OpenOptions, openDatabase, prepareKeys } from "./database.ts";
import { waitForHealth } from "./health.ts";
import { listProcesses, wordOf } from "./plan.ts";
import { waitForPorts } from "./ports.ts";
import type { Hosting, StartHosting } from "./processes.ts";

/** What a Tripe is started with. */
export interface RunOptions {
  readonly seed: OpenOptions["seed"];
  /** Writes a line for the person at the terminal. */
  readonly print: (words: string) => void;
  /** What hosts the services and the edge: `startProcesses`, or everything in this process (co-located.ts). */
  readonly startHosting: StartHosting;
}

/** Everything of one Tripe while it runs. */
interface Parts {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly database: Promise<OpenDatabase>;
  readonly hosting: Hosting;
}

/**
 * Runs a whole Tripe until Ctrl-C or SIGTERM: the database, every process, and, once all of them serve, the words of
 * announce.ts. Returns the exit code: 0 after a good end, 1 when it could not start, with the reason printed.
 */
export async function run({ seed, print, startHosting }: RunOptions): Promise<number> {
  const startMs = systemClock.preciseMs();
  const ending = listenForEnd(systemClock);
  let parts: Parts | undefined;
  try {
    const config = await prepareConfig();
    parts = await start({ config, seed, print, startHosting });
    const { secretKey, place } = await parts.database;
    const url = `http://${listenAddress(config, "edge")}`;
    const healthy = waitForHealth({ url, clock: parts.clock, say: print, signal: ending.signal });
    await Promise.race([healthy, parts.hosting.broken]);
    const rows = [...parts.hosting.rows(), { name: "postgres", place, pid: undefined }];
    print(announce({ rows, url, secretKey, dataDir: config.dataDir, startMs: systemClock.preciseMs() - startMs }));
    await ending.asked;
    return 0;
  } catch (error) {
    if (ending.signal.aborted) return 0;
    print(`Tripe does not start: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    if (parts !== undefined) await end(parts, ending, print);
  }
}

async function prepareConfig(): Promise<Config> {
  const config = readConfig();
  const dataDir = resolve(config.dataDir);
  await mkdir(join(dataDir, "logs"), { recursive: true, mode: 0o700 });
  return { ...config, dataDir };
}

async function start({ config, seed, print, startHosting }: RunOptions & { config: Config }): Promise<Parts> {
  const log = createLog({ name: "tripe", dataDir: config.dataDir });
  const clock = systemClock;
  const places = listProcesses(config).map((name) => ({ name: wordOf(name), address: listenAddress(config, name) }));
  await waitForPorts(places, clock);
  const hasKeys = await prepareKeys(config);
  const database = openDatabase({ config, log, seed });
  // No process is started beside a database whose keys may be lost.
  if (!hasKeys) await database;
  const hosting = startHosting({ config, database, log, clock, say: print });
  return { config, log, clock, database, hosting };
}

async function end({ database, hosting, log }: Parts, ending: Ending, print: RunOptions["print"]): Promise<void> {
  if (ending.signal.aborted) print("ending: the edge first, the database last; once more to end at once");
  ending.onAgain(() => {
    // What was cut off is finished at the next start; Postgres is left running, and adopted then.
    hosting.kill();
    process.exit(1);
  });
  await hosting.stop();
  await database.then((open) => open.close()).catch(() => undefined);
  await log.flush();
}

/** The wish of a person, or of the machine, that this ends. */
interface Ending {
  /** Aborted by the first wish. */
  readonly signal: AbortSignal;
  readonly asked: Promise<void>;
  /** Calls back at the second. */
  onAgain(callback: () => void): void;
}

/** One Ctrl-C arrives twice, from the terminal and, milliseconds later, from npm; a person's second comes later. */
const againAfterMs = 1_000;

function listenForEnd(clock: Clock): Ending {
  const controller = new AbortController();
  let again = () => {};
  let firstMs = 0;
  const asked = new Promise<void>((done) => controller.signal.addEventListener("abort", () => done(), { once: true }));
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (!controller.signal.aborted) {
        firstMs = clock.preciseMs();
        controller.abort(new Error(name));
      } else if (clock.preciseMs() - firstMs > againAfterMs) {
        again();
      }
    });
  }
  return {
    signal: controller.signal,
    asked,
    onAgain: (callback) => {
      again = callback;
    },
  };
}
