import { accessSync, closeSync, constants, existsSync, openSync, realpathSync, statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { systemClock } from "../_runtime/clock.ts";
import { makeKeyFile, readKeyRing } from "../_runtime/key-files.ts";
import { keyFile } from "../_runtime/key-ring.ts";
import type { Log } from "../_runtime/log.ts";
import { createClient, isUnavailable } from "./connect-client.ts";
import { createPasswords, passwordsOf } from "./create-passwords.ts";
import { prepareDatabaseDir } from "./embedded-init.ts";
import {
  isAlive,
  isPortFree,
  lockPath,
  mayBePostgres,
  type Postmaster,
  readPostmaster,
} from "./embedded-postmaster.ts";
import { readTail, reasonOf } from "./embedded-reason.ts";
import { type Binaries, chooseRunner, findBinaries, type Runner, run, waitForExit } from "./embedded-runner.ts";
import { embeddedSettings } from "./embedded-settings.ts";
import { withSetupLock } from "./migrate.ts";

/** A running Postgres. */
export interface EmbeddedPostgres {
  /** Its superuser `tripe`'s, on the database `tripe`. */
  readonly url: string;
  /** Ends it, and with it every connection. */
  stop(): Promise<void>;
  /** Leaves it running, and no longer watches over it. */
  leave(): Promise<void>;
}

/** Where the Postgres lives; `settings` come after Tripe's own (embedded-settings.ts). */
export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly log: Log;
  /** Writes a line for the person at the terminal: once when a Postgres that ran cannot be started again, once when it is. */
  readonly say?: (words: string) => void;
  readonly settings?: Readonly<Record<string, string>>;
}

/** The longest socket path Linux and macOS take is 107 and 103 bytes; deeper folders do with TCP. */
const socketPathMax = 100;

/** A dead Postgres' last processes hold its lock for a second or two; recovery after a kill takes about one (9-tried.md). */
const startTimeoutMs = 10_000;

/** Half of the time a start takes is waited for at most once more. */
const pollMs = 20;

/** Waits between two starts of a Postgres that ends at once, as on a full disk: the first, and the longest by doubling. */
const restartMinMs = 100;
const restartMaxMs = 2_000;

/** How soon a killed Postgres is noticed: well within the two seconds a killed service may be away. */
const watchMs = 200;

/**
 * Starts Postgres over `<dataDir>/postgres`, made on the first start, on 127.0.0.1:`port` and a socket in that folder; or
 * adopts the one that already runs there. From then on one that dies is started again, until `stop` or `leave`. The Postgres outlives
 * this process. Rejects in words when it cannot run: a foreign program on the port, another major version's folder.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const place = await preparePlace(options);
  let postmaster = await ensureRunning(place);
  const stopping = new AbortController();
  const watching = watch();
  const leave = async () => {
    stopping.abort();
    await watching;
  };
  return {
    url: await openDatabase(place, postmaster),
    stop: async () => {
      await leave();
      await stopPostgres(place);
    },
    leave,
  };

  async function watch(): Promise<void> {
    let isDown = false;
    while (!stopping.signal.aborted) {
      await systemClock.sleep(watchMs, stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted || isAlive(postmaster.pid)) continue;
      options.log.warn("Postgres is gone and is started again", { pid: postmaster.pid });
      try {
        postmaster = await ensureRunning(place, stopping.signal);
        if (isDown) options.say?.("Postgres runs again");
        isDown = false;
      } catch (error) {
        if (stopping.signal.aborted) return;
        options.log.error("Postgres could not be started again; the next try follows", error);
        if (!isDown)
          options.say?.(
            `Postgres ended and does not start: ${reasonOf(error, place.databaseDir)}; tried until it does`,
          );
        isDown = true;
      }
    }
  }
}

/** The url of a database of the embedded Postgres, for a user: over its socket where that has a path short enough. */
export function createUrl(options: UrlOptions): string {
  const url = new URL(`postgres://127.0.0.1:${options.port}/${options.database}`);
  url.username = options.user;
  url.password = options.password;
  // A user's PGSSLMODE must not reach a server without certificates.
  url.searchParams.set("sslmode", "disable");
  if (hasSocket(options.databaseDir)) url.searchParams.set("host", options.databaseDir);
  return url.href;
}

/** What `createUrl` puts together; `databaseDir` is absolute. */
export interface UrlOptions {
  readonly databaseDir: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** Everything about one embedded Postgres that does not change while it runs. */
interface Place {
  readonly options: EmbeddedOptions;
  readonly binaries: Binaries;
  readonly runner: Runner;
  readonly databaseDir: string;
  readonly logPath: string;
  /** The superuser's: of the keys of `database.key` the one that opened last. */
  password: string;
}

async function preparePlace(options: EmbeddedOptions): Promise<Place> {
  const dataDir = resolve(options.dataDir);
  await mkdir(join(dataDir, "logs"), { recursive: true, mode: 0o700 });
  const binaries = await findBinaries();
  const databaseDir = join(dataDir, "postgres");
  assertOurs(databaseDir);
  const logPath = join(dataDir, "logs", "postgres.log");
  // A key made beside a database that has another would only hide that the other is lost.
  if (!existsSync(databaseDir)) await makeKeyFile("database", keyFile(dataDir, "database"));
  const passwords = await createPasswords(dataDir);
  const password = passwords("tripe");
  const runner = chooseRunner(binaries, databaseDir);
  const durable = options.settings?.["fsync"] !== "off";
  await prepareDatabaseDir({ binaries, runner, databaseDir, logPath, password, durable });
  return { options, binaries, runner, databaseDir, logPath, password };
}

function assertOurs(databaseDir: string): void {
  if (!existsSync(databaseDir)) return;
  try {
    accessSync(databaseDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const words = `${databaseDir} belongs to another user: start Tripe as that user, or set TRIPE_DATA_DIR to a new folder.`;
    throw new Error(words, { cause });
  }
}

async function ensureRunning(place: Place, signal?: AbortSignal): Promise<Postmaster> {
  const deadline = systemClock.preciseMs() + startTimeoutMs;
  const logStart = existsSync(place.logPath) ? statSync(place.logPath).size : 0;
  let isOurs = false;
  // Outside the loop: a variable of the loop's head is a new one each turn, and the callback would reset an old one.
  let starting = false;
  let waitMs = restartMinMs;
  let nextStartMs = 0;
  for (; systemClock.preciseMs() < deadline; await systemClock.sleep(pollMs, signal)) {
    const postmaster = await readLivePostmaster(place);
    if (postmaster?.ready && (await answers(place, postmaster))) {
      if (!isOurs)
        place.options.log.info("Postgres still runs: adopted", { pid: postmaster.pid, port: postmaster.port });
      return postmaster;
    }
    if (postmaster !== undefined || starting || systemClock.preciseMs() < nextStartMs) continue;
    if (!(await isPortFree(place.options.port))) {
      // A Postgres that was just killed leaves its lock file, and its last process may still hold the port.
      if (existsSync(lockPath(place.databaseDir))) continue;
      throw new Error(
        `Port ${place.options.port}, meant for Postgres, is taken by another program: set PORT to another.`,
      );
    }
    starting = true;
    isOurs = true;
    void waitForExit(spawnPostgres(place)).then(() => {
      starting = false;
      nextStartMs = systemClock.preciseMs() + waitMs;
      waitMs = Math.min(waitMs * 2, restartMaxMs);
    });
  }
  throw new Error(`Postgres did not start within ${startTimeoutMs / 1000} s: ${readTail(place.logPath, logStart)}`);
}

async function readLivePostmaster(place: Place): Promise<Postmaster | undefined> {
  const postmaster = readPostmaster(place.databaseDir);
  if (postmaster === undefined || !isAlive(postmaster.pid)) return undefined;
  if (mayBePostgres(postmaster.pid)) return postmaster;
  place.options.log.warn("a stale postmaster.pid names another program and is removed", { pid: postmaster.pid });
  await rm(lockPath(place.databaseDir), { force: true });
  return undefined;
}

function spawnPostgres(place: Place) {
  const { options, databaseDir } = place;
  const settings = {
    ...embeddedSettings,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: hasSocket(databaseDir) ? databaseDir : "",
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const output = openSync(place.logPath, "a", 0o600);
  try {
    const command = [place.binaries.postgres, "-D", databaseDir, "-p", String(options.port), ...flags];
    // Detached: Ctrl-C reaches the whole process group, and the services have to drain before their database goes.
    const child = run(place.runner, command, { cwd: databaseDir, output, detached: true });
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

/** The keys are read anew each time: they rotate, and the superuser has the password of one of them. */
async function answers(place: Place, postmaster: Postmaster): Promise<boolean> {
  const ring = await readKeyRing("database", keyFile(resolve(place.options.dataDir), "database"));
  const known = ring?.keys.map((key) => passwordsOf(key)("tripe")) ?? [];
  const passwords = [...new Set([place.password, ...known])];
  for (const password of passwords) {
    const isLast = password === passwords.at(-1);
    const answer = await answersTo(place, { postmaster, password, isLast });
    if (answer !== "refused") {
      place.password = password;
      return answer === "yes";
    }
  }
  return false;
}

interface Asked {
  readonly postmaster: Postmaster;
  readonly password: string;
  /** With the last password a refusal is an error. */
  readonly isLast: boolean;
}

async function answersTo(place: Place, { postmaster, password, isLast }: Asked): Promise<"yes" | "no" | "refused"> {
  const url = urlOf({ ...place, password }, postmaster, "postgres");
  const client = createClient({ url, name: "tripe_start" });
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>("show data_directory");
    return realpathSync(rows[0]?.data_directory ?? "") === realpathSync(place.databaseDir) ? "yes" : "no";
  } catch (error) {
    if (isUnavailable(error)) return "no";
    if (!isLast) return "refused";
    const words =
      `The Postgres of ${place.databaseDir} refuses the password made from secrets/database.key beside it: restore the secrets ` +
      "folder of this Tripe from its backup, or set TRIPE_DATA_DIR to a new folder";
    throw new Error(words, { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Makes the database `tripe` and the statistics every measurement reads, on the first start. Returns its url. */
async function openDatabase(place: Place, postmaster: Postmaster): Promise<string> {
  const url = urlOf(place, postmaster, "tripe");
  await withSetupLock(urlOf(place, postmaster, "postgres"), async (server) => {
    const { rowCount } = await server.query("select 1 from pg_database where datname = 'tripe'");
    if (rowCount === 0) await server.query("create database tripe");
    await withSetupLock(url, (client) =>
      client.query("create extension if not exists pg_stat_statements with schema public"),
    );
  });
  return url;
}

function urlOf({ databaseDir, password }: Place, { port }: Postmaster, database: string): string {
  return createUrl({ databaseDir, port, database, user: "tripe", password });
}

function hasSocket(databaseDir: string): boolean {
  return process.platform !== "win32" && Buffer.byteLength(join(databaseDir, ".s.PGSQL.65535")) <= socketPathMax;
}

async function stopPostgres(place: Place): Promise<void> {
  const stop = (mode: string) => {
    const command = [place.binaries.pg_ctl, "stop", "-D", place.databaseDir, "-m", mode, "-w", "-t", "20"];
    return waitForExit(run(place.runner, command, { cwd: place.databaseDir, output: "ignore" }));
  };
  if ((await stop("fast")) === 0 || readPostmaster(place.databaseDir) === undefined) return;
  place.options.log.warn("Postgres did not stop in 20 s and is stopped at once; it recovers at its next start");
  await stop("immediate");
}
