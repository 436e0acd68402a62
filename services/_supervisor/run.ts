import { join, resolve } from "node:path";
import { createAskEdge } from "../_runtime/ask-edge.ts";
import { type Clock, systemClock } from "../_runtime/clock.ts";
import { type Config, listenAddress, readConfig } from "../_runtime/config.ts";
import { describeAcquirer } from "../_runtime/config-acquirer.ts";
import { readEdgeCertificate } from "../_runtime/edge-certificate.ts";
import { createLog, type Log } from "../_runtime/log.ts";
import { type RunFile, removeRunFile, writeRunFile } from "../_runtime/run-file.ts";
import { acquirerRows, announce } from "./announce.ts";
import { listenForCommands } from "./control.ts";
import { prepareDataDir } from "./data-dir.ts";
import { type OpenDatabase, type OpenOptions, openDatabase, prepareKeys } from "./database.ts";
import { type Ending, listenForEnd } from "./ending.ts";
import { waitForHealth } from "./health.ts";
import { keepLogSmall } from "./held-log.ts";
import { issueTokens } from "./issue-tokens.ts";
import { createMigrationCheck } from "./new-migrations.ts";
import { listProcesses, type ProcessName, wordOf } from "./plan.ts";
import { type Place, waitForPlaces } from "./ports.ts";
import type { Hosting, StartHosting } from "./processes.ts";
import { isPubliclyTrusted } from "./public-trust.ts";
import { findUrls, type ReachableUrls } from "./reachable.ts";
import { watchHealth } from "./watch-health.ts";

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
  readonly replace: Hosting["replace"];
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
    const config = prepareConfig();
    const certificate = config.edgeTls && (await readEdgeCertificate(config.edgeTls));
    parts = await start({ config, seed, print, startHosting, signal: ending.signal });
    const { secretKey, place } = await parts.database;
    const urls = findUrls(config, certificate?.leaf);
    writeRunFile(config.dataDir, describeRun(config, urls.here));
    const ask = createAskEdge({ url: urls.here, certFile: config.edgeTls?.certFile });
    const watching = { ask, clock: parts.clock, say: print, signal: ending.signal };
    await Promise.race([waitForHealth(watching), parts.hosting.broken]);
    const rows = [...parts.hosting.rows(), ...acquirerRows(config), { name: "postgres", place, pid: undefined }];
    const upMs = systemClock.preciseMs() - startMs;
    const curlOptions = await listCurlOptions(config, urls);
    print(announce({ rows, url: urls.shown, curlOptions, secretKey, dataDir: config.dataDir, startMs: upMs }));
    void watchHealth({ ...watching, log: parts.log });
    await listenForCommands({ ...config, log: parts.log, replace: parts.replace });
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

function prepareConfig(): Config {
  const config = readConfig();
  if (config.smtpUrl !== undefined && config.account.email === undefined) {
    throw new Error("SMTP_URL needs TRIPE_ACCOUNT_EMAIL: mails have to come from an address that people may answer.");
  }
  return { ...config, dataDir: prepareDataDir(config.dataDir) };
}

/** What curl needs on this machine beside the url: whom to trust where the public does not, and where a name leads. */
async function listCurlOptions({ edgeTls }: Config, { here, shown, connectTo }: ReachableUrls): Promise<string[]> {
  if (edgeTls === undefined) return [];
  const { hostname, port } = new URL(shown);
  const isTrusted = await isPubliclyTrusted(here, hostname);
  return [
    ...(isTrusted ? [] : ["--cacert", edgeTls.certFile]),
    ...(connectTo === undefined ? [] : ["--connect-to", `${hostname}:${port}:${connectTo}`]),
  ];
}

/** What the tools need to find this Tripe again. */
function describeRun(config: Config, url: string): RunFile {
  const databaseUrl = config.databaseUrl === undefined ? undefined : new URL(config.databaseUrl.reveal());
  // Tools connect as a role of Tripe's, by the data folder's key.
  if (databaseUrl !== undefined) Object.assign(databaseUrl, { username: "", password: "" });
  return {
    pid: process.pid,
    url,
    settings: {
      PORT: String(config.port),
      TRIPE_LISTEN_HOST: config.listenHost,
      TRIPE_RUN_DIR: config.runDir,
      ...(config.edgeTls && { TRIPE_TLS_CERT: config.edgeTls.certFile, TRIPE_TLS_KEY: config.edgeTls.keyFile }),
      ...(config.servicesHost !== undefined && { TRIPE_SERVICES_HOST: config.servicesHost }),
      ...(config.tlsDir !== undefined && { TRIPE_TLS_DIR: resolve(config.tlsDir) }),
      ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl.href }),
      ...(config.acquirer.isSandbox ? {} : { TRIPE_ACQUIRER_ADDRESS: describeAcquirer(config.acquirer) }),
    },
  };
}

interface StartOptions extends RunOptions {
  readonly config: Config;
  readonly signal: AbortSignal;
}

async function start({ config, seed, print, startHosting, signal }: StartOptions): Promise<Parts> {
  const log = createLog({ ...config, name: "tripe" });
  const refuseMigrations = createMigrationCheck();
  const clock = systemClock;
  const places = listProcesses(config).map((name) => placeOf(name, config));
  await waitForPlaces(places, clock);
  const hasKeys = await prepareKeys(config);
  await issueTokens(config);
  const database = openDatabase({ config, log, seed, say: print });
  const cap = { path: join(config.dataDir, "logs", "postgres.log"), maxBytes: config.logMaxBytes };
  void database.then(() => keepLogSmall({ ...cap, clock, signal })).catch(() => undefined);
  // No process is started beside a database whose keys may be lost.
  if (!hasKeys) await database;
  const hosting = startHosting({ config, database, log, clock, say: print });
  const replace: Hosting["replace"] = async (name) => {
    refuseMigrations();
    await hosting.replace(name);
  };
  return { config, log, clock, database, hosting, replace };
}

function placeOf(name: ProcessName, config: Config): Place {
  const hostSetting = name === "edge" ? "TRIPE_LISTEN_HOST" : "TRIPE_SERVICES_HOST";
  return { name: wordOf(name), address: listenAddress(config, name), hostSetting };
}

async function end(
  { config, database, hosting, log }: Parts,
  ending: Ending,
  print: RunOptions["print"],
): Promise<void> {
  if (ending.signal.aborted) print("ending: the edge first, the database last; once more to end at once");
  ending.onAgain(() => {
    // What was cut off is finished at the next start; Postgres is left running, and adopted then.
    hosting.kill();
    process.exit(1);
  });
  await hosting.stop();
  removeRunFile(config.dataDir);
  await database.then((open) => open.close()).catch(() => undefined);
  await log.flush();
}
