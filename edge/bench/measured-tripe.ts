import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectOwner } from "../../services/_database/connect-owner.ts";
import { findRoleUrl } from "../../services/_database/role-url.ts";
import { startTestingGuard } from "../../services/_database/start-testing-guard.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { createEnvironment } from "../../services/_runtime/config.ts";
import { isAlive, signal } from "../chaos/processes.ts";
import { type CpuTimes, readCpu } from "./cpu.ts";
import type { Wiring } from "./figure.ts";

/** The sandbox key of every Tripe measured here. */
export const SECRET_KEY = "sk_test_bench12345678";

/** A first start compiles everything ten times over; a busy machine takes a minute for it. */
const START_MAX_MS = 120_000;
/** Often enough to time a start of a second by. */
const POLL_MS = 20;
/** Services give themselves 12 s to end, one rank after the other. */
const END_MAX_MS = 30_000;

/** A connection of the database's owner. */
export type OwnerClient = Awaited<ReturnType<typeof connectOwner>>;

/** What a Tripe to be measured is started with. */
export interface TripeOptions {
  /** The checkout whose programs run. */
  readonly root: string;
  readonly wiring: Wiring;
  readonly port: number;
  readonly settings?: Readonly<Record<string, string>>;
  /** Runs the sources, which a profile names, instead of their bundle. */
  readonly isFromSources?: boolean;
}

/** A Tripe of a checkout, as its `npm start` starts it, on a data folder of its own on disk. */
export type MeasuredTripe = Awaited<ReturnType<typeof createMeasuredTripe>>;

/** Makes one, not started yet. Nothing of it outlives this program. */
export async function createMeasuredTripe({ root, wiring, port, settings = {}, isFromSources }: TripeOptions) {
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-bench-"));
  const guard = startTestingGuard(dataDir);
  const place = { databaseUrl: undefined, dataDir, port };
  const env = createEnvironment({
    PORT: String(port),
    TRIPE_DATA_DIR: dataDir,
    TRIPE_SECRET_KEY: SECRET_KEY,
    ...settings,
  });
  const bundled = join(root, ".config", "start.mjs");
  // Commits from before there was a bundle have no such program.
  const main = isFromSources !== true && existsSync(bundled) ? bundled : join(root, "services", "all.ts");
  const program = [main, ...(wiring === "one" ? ["--one-process"] : [])];
  let supervisor: Supervisor = { pid: 0, ended: Promise.resolve(), hasEnded: () => true };
  const stop = () => endSupervisor(supervisor);
  return {
    root,
    wiring,
    port,
    dataDir,
    supervisorPid: () => supervisor.pid,
    /** Starts it, or starts it again on what it has; resolves to the milliseconds until it served. */
    async start(): Promise<number> {
      const startMs = systemClock.preciseMs();
      const log = join(dataDir, "output.log");
      supervisor = startSupervisor(program, { env, root, log });
      guard.watch(supervisor.pid);
      while (!(await isHealthy(port))) {
        const isLate = systemClock.preciseMs() - startMs > START_MAX_MS;
        if (supervisor.hasEnded() || isLate) throw new Error(`Tripe did not start: ${await readTail(log)}`);
        await systemClock.sleep(POLL_MS);
      }
      return systemClock.preciseMs() - startMs;
    },
    stop,
    /** CPU used since the start, by process. */
    cpu: async (): Promise<CpuTimes> => {
      const name = wiring === "one" ? "one process" : "supervisor";
      return readCpu({ pid: supervisor.pid, name, postgresPid: await readPostgresPid(dataDir) });
    },
    /** The url of a role of its database. */
    roleUrl: (role: "owner" | "reader" | "writer"): Promise<string> => findRoleUrl(place, role),
    /** Runs statements as the database's owner. */
    async asOwner<Result>(run: (client: OwnerClient) => Promise<Result>): Promise<Result> {
      const client = await connectOwner(await findRoleUrl(place, "owner"), "tripe_bench");
      try {
        return await run(client);
      } finally {
        await client.end();
      }
    },
    /** Proves the books with the checkout's own `npm run audit`; undefined when they balance, else its words. */
    audit: (): Promise<string | undefined> => runAudit(root, env),
    /** Ends it and removes its folder. */
    async remove(): Promise<void> {
      await stop();
      await guard.end();
    },
  };
}

interface Supervisor {
  readonly pid: number;
  readonly ended: Promise<unknown>;
  hasEnded(): boolean;
}

/** Detached: a process group of its own, as a shell gives to each command. Postgres makes itself another. */
function startSupervisor(
  program: readonly string[],
  { env, root, log }: { env: Record<string, string>; root: string; log: string },
): Supervisor {
  const output = openSync(log, "a");
  const child = spawn(process.execPath, program, { env, cwd: root, detached: true, stdio: ["ignore", output, output] });
  closeSync(output);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return { pid: child.pid ?? 0, ended, hasEnded: () => child.exitCode !== null || child.signalCode !== null };
}

async function endSupervisor({ pid, ended }: Supervisor): Promise<void> {
  if (pid === 0 || !isAlive(pid)) return;
  signal(pid, "SIGINT");
  await Promise.race([ended, systemClock.sleep(END_MAX_MS)]);
  if (isAlive(pid)) signal(-pid, "SIGKILL");
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

async function readPostgresPid(dataDir: string): Promise<number> {
  const lock = await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8");
  return Number(lock.split("\n")[0]);
}

function runAudit(root: string, env: Record<string, string>): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "services", "audit.ts")], {
      env,
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output: Buffer[] = [];
    child.stdout.on("data", (bytes: Buffer) => output.push(bytes));
    child.stderr.on("data", (bytes: Buffer) => output.push(bytes));
    child.once("error", reject);
    child.once("close", (code) => resolve(code === 0 ? undefined : Buffer.concat(output).toString()));
  });
}

async function readTail(path: string): Promise<string> {
  return (await readFile(path, "utf8").catch(() => "")).slice(-2_000);
}
