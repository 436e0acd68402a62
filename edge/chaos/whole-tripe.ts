import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "../../services/_audit/audit.ts";
import { runAudit } from "../../services/_audit/audit.ts";
import { createPasswords } from "../../services/_database/embedded.ts";
import { findRoleUrl } from "../../services/_database/role-url.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { createEnvironment } from "../../services/_runtime/config.ts";
import { silentLog } from "../../services/_runtime/log.ts";
import { portOffset } from "../../services/_runtime/topology.ts";
import { readStatement, statementFile } from "../../services/bank/sandbox/statement.ts";
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
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-chaos-"));
  const url = `http://127.0.0.1:${port}`;
  const file = statementFile(dataDir);
  let supervisor = createSupervisor(0);
  const health = () => askHealth(url);
  const tripe = {
    url,
    port,
    dataDir,
    health,
    /** Starts it, over whatever an earlier life left behind; resolves once everything serves, with how long that took. */
    async start() {
      const env = createEnvironment({
        PORT: String(port),
        TRIPE_DATA_DIR: dataDir,
        TRIPE_SECRET_KEY: SECRET_KEY,
        ...environment,
      });
      // Detached: a process group of its own, as a shell gives to each command.
      const program = join(import.meta.dirname, "..", "..", "services", "all.ts");
      await mkdir(join(dataDir, "logs"), { recursive: true });
      const child = spawn(process.execPath, [program], { env, detached: true, stdio: ["ignore", "ignore", "inherit"] });
      supervisor = createSupervisor(child.pid ?? 0, new Promise((resolve) => child.once("exit", resolve)));
      return tripe.untilHealthy(START_MAX_MS);
    },
    /** Resolves once /healthz says 200, with the milliseconds that took. */
    untilHealthy: async (maxMs: number) =>
      until(async () => (await health()).status === 200, maxMs, "everything serves"),
    /** The pid of one process: a child of the supervisor, never another's. */
    async pidOf(name: ProcessName) {
      const folder = name === "edge" ? "/edge/" : name === "sandbox-bank" ? "/bank/sandbox/" : `/services/${name}/`;
      const found = (await childrenOf(supervisor.pid)).find(({ command }) => command.includes(`${folder}main.ts`));
      if (found === undefined) throw new Error(`the supervisor has no child ${name} now`);
      return found.pid;
    },
    supervisor: () => supervisor,
    /** What moved at the bank, in its own words. */
    async statement() {
      const lines = [];
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
    /** The pid of its Postgres, 0 when there is none. */
    async postgresPid() {
      const lock = await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8").catch(() => "");
      return Number(lock.split("\n")[0]);
    },
    /** Names the ports, but Postgres', at which somebody still listens. */
    takenPorts: async () => {
      const offsets = Object.entries(portOffset).filter(([name]) => name !== "postgres");
      const taken = await Promise.all(offsets.map(async ([, offset]) => isListening(port + offset)));
      return offsets.flatMap(([name], index) => (taken[index] === true ? [name] : []));
    },
    /** Ends it as Ctrl-C does, then whatever is left of it, and removes its folder. */
    async remove() {
      if (supervisor.pid > 0 && isAlive(supervisor.pid)) signal(supervisor.pid, "SIGINT");
      await Promise.race([supervisor.ended, systemClock.sleep(20_000)]);
      if (supervisor.pid > 0 && isAlive(supervisor.pid)) signal(-supervisor.pid, "SIGKILL");
      const postgres = await tripe.postgresPid();
      if (postgres > 0 && isAlive(postgres)) {
        signal(postgres, "SIGQUIT");
        await until(async () => !isAlive(postgres), 10_000, "Postgres is gone");
      }
      await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
  await createPasswords(dataDir);
  return tripe;
}

/** Waits for something to be so, and tells the milliseconds that took; rejects with its words when it never is. */
export async function until(isSo: () => Promise<boolean>, maxMs: number, words: string): Promise<number> {
  const startMs = systemClock.preciseMs();
  while (!(await isSo())) {
    if (systemClock.preciseMs() - startMs > maxMs) throw new Error(`not within ${maxMs} ms: ${words}`);
    await systemClock.sleep(POLL_MS);
  }
  return systemClock.preciseMs() - startMs;
}

function createSupervisor(pid: number, ended: Promise<unknown> = Promise.resolve()) {
  return { pid, ended };
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
