import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Finding } from "../../services/_audit/audit.ts";
import { runAudit } from "../../services/_audit/audit.ts";
import { findRoleUrl } from "../../services/_database/role-url.ts";
import { startTestingGuard } from "../../services/_database/start-testing-guard.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { createEnvironment, SANDBOX_SOCKET } from "../../services/_runtime/config.ts";
import { silentLog } from "../../services/_runtime/log.ts";
import { isListening as isSocketListening } from "../../services/_runtime/sockets.ts";
import { linkCodeCache } from "../../services/_runtime/testing/code-cache.ts";
import { createMemoryFolder } from "../../services/_runtime/testing/memory-folder.ts";
import { serviceNames } from "../../services/_runtime/topology.ts";

import { readStatement, type StatementLine, statementFile } from "../../services/bank/sandbox/statement.ts";
import { childrenOf, isAlive, signal } from "./processes.ts";

/** The processes of Tripe beside Postgres, by the names of the supervisor's table. */
export const processNames = [
  "reader",
  "writer",
  "pdf",
  "bank",
  "scheduler",
  "transactions",
  "mailer",
  "webhooks",
  "sandbox-bank",
  "edge",
] as const;

/** One of them. */
export type ProcessName = (typeof processNames)[number];

/** The sandbox key of every Tripe started here. */
export const SECRET_KEY = "sk_test_chaos12345678";

/** A real Tripe, as `npm start` starts it: eleven processes, real sockets, a data folder of its own. */
export type WholeTripe = Awaited<ReturnType<typeof createWholeTripe>>;

/** A first start compiles everything ten times over: some 5 s on a quiet machine, a minute on a busy one. */
const START_MAX_MS = 120_000;
/** Each look at /healthz asks eight services: often enough to measure with, seldom enough to be no load. */
const POLL_MS = 100;

/** Makes a Tripe that is not started yet, on PORT and the ten ports after it. */
export async function createWholeTripe(port: number, environment: Readonly<Record<string, string>> = {}) {
  const dataDir = await createMemoryFolder("tripe-chaos-");
  await linkCodeCache(dataDir);
  const guard = startTestingGuard(dataDir);
  const url = `http://127.0.0.1:${port}`;
  let supervisor: Supervisor = { pid: 0, ended: Promise.resolve() };
  let edges: readonly string[] = [url];
  const health = () => askHealth(url);
  /** Resolves once /healthz says 200, with the milliseconds that took. */
  const untilHealthy = (maxMs: number) =>
    until(async () => (await health()).status === 200, maxMs, "everything serves");
  return {
    url,
    /** Every edge's: this Tripe's own, and those that were started beside it. */
    urls: () => edges,
    port,
    dataDir,
    ...createBooks(dataDir, port),
    health,
    untilHealthy,
    supervisor: () => supervisor,
    postgresPid: () => readPostgresPid(dataDir),
    /** Starts it, over whatever an earlier life left behind; resolves once everything serves, with how long that took. */
    async start(): Promise<number> {
      const own = { PORT: String(port), TRIPE_DATA_DIR: dataDir, TRIPE_SECRET_KEY: SECRET_KEY };
      supervisor = startSupervisor(createEnvironment({ ...own, ...environment }));
      guard.watch(supervisor.pid);
      return untilHealthy(START_MAX_MS);
    },
    /** Starts one more edge on a port of its own, over the same services; ends with the promise's function. */
    async startEdge(ownPort: number): Promise<() => Promise<void>> {
      const edge = startProgram(["edge", "main.ts"], {
        ...createEnvironment({ ...environment, PORT: String(ownPort), TRIPE_DATA_DIR: dataDir }),
      });
      guard.watch(edge.pid);
      const own = `http://127.0.0.1:${ownPort}`;
      await until(async () => (await askHealth(own)).status === 200, START_MAX_MS, "the second edge serves");
      edges = [url, own];
      return async () => {
        edges = [url];
        await endSupervisor(edge);
      };
    },
    /** The pid of one process: a child of the supervisor, never another's. */
    async pidOf(name: ProcessName): Promise<number> {
      const folder = name === "edge" ? "/edge/" : name === "sandbox-bank" ? "/bank/sandbox/" : `/services/${name}/`;
      // Its source's, or its file in the bundle.
      const isIts = (command: string) => command.includes(`${folder}main.ts`) || command.includes(`/${name}.mjs`);
      const found = (await childrenOf(supervisor.pid)).find(({ command }) => isIts(command));
      if (found === undefined) throw new Error(`the supervisor has no child ${name} now`);
      return found.pid;
    },
    /** Names the processes, but Postgres, at whose port or socket somebody still listens. */
    async takenPorts(): Promise<string[]> {
      const names = [...serviceNames, SANDBOX_SOCKET];
      const taken = await Promise.all(names.map((name) => isSocketListening(join(dataDir, "run", `${name}.sock`))));
      const sockets = names.flatMap((name, index) => (taken[index] === true ? [name] : []));
      return (await isListening(port)) ? [...sockets, "edge"] : sockets;
    },
    /** Ends it as Ctrl-C does, then whatever is left of it, and removes its folder. */
    async remove(): Promise<void> {
      await endSupervisor(supervisor);
      await guard.end();
    },
  };
}

/** What a Tripe and its bank have written down. */
function createBooks(dataDir: string, port: number) {
  const file = statementFile(dataDir);
  return {
    /** What moved at the bank, in its own words. */
    async statement(): Promise<StatementLine[]> {
      const lines: StatementLine[] = [];
      for await (const line of readStatement(file)) lines.push(line);
      return lines;
    },
    /** Proves the books as they are now. */
    audit: async (): Promise<Finding[]> =>
      runAudit({
        databaseUrl: await findRoleUrl({ databaseUrl: undefined, dataDir, port }, "audit"),
        statement: readStatement(file),
        dataDir,
        clock: systemClock,
        log: silentLog,
      }),
  };
}

interface Supervisor {
  readonly pid: number;
  readonly ended: Promise<unknown>;
}

function startSupervisor(env: Record<string, string>): Supervisor {
  return startProgram([".config", "start.mjs"], env);
}

/** Detached: a process group of its own, as a shell gives to each command. Postgres makes itself another. */
function startProgram(path: readonly string[], env: Record<string, string>): Supervisor {
  const program = join(import.meta.dirname, "..", "..", ...path);
  const child = spawn(process.execPath, [program], { env, detached: true, stdio: ["ignore", "ignore", "inherit"] });
  return { pid: child.pid ?? 0, ended: new Promise((resolve) => child.once("exit", resolve)) };
}

/** Services give themselves 12 s to end (services/_runtime/process.ts), one rank after the other. */
const END_MAX_MS = 30_000;

async function endSupervisor({ pid, ended }: Supervisor): Promise<void> {
  if (pid === 0 || !isAlive(pid)) return;
  signal(pid, "SIGINT");
  await Promise.race([ended, systemClock.sleep(END_MAX_MS)]);
  if (isAlive(pid)) signal(-pid, "SIGKILL");
}

/** The pid of a data folder's Postgres, 0 when there is none. */
async function readPostgresPid(dataDir: string): Promise<number> {
  const lock = await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8").catch(() => "");
  return Number(lock.split("\n")[0]);
}

/** Waits for something to be so, and tells the milliseconds that took; rejects with its words when it never is. */
export async function until(
  isSo: () => Promise<boolean>,
  maxMs: number,
  words: string,
  pollMs = POLL_MS,
): Promise<number> {
  const startMs = systemClock.preciseMs();
  while (!(await isSo())) {
    if (systemClock.preciseMs() - startMs > maxMs) throw new Error(`not within ${maxMs} ms: ${words}`);
    await systemClock.sleep(pollMs);
  }
  return systemClock.preciseMs() - startMs;
}

/** What /healthz says; status 0 when nobody answers. */
async function askHealth(url: string): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) });
    return { status: answer.status, text: await answer.text() };
  } catch {
    return { status: 0, text: "" };
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ host: "127.0.0.1", port });
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}
