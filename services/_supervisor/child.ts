import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../_runtime/clock.ts";
import { createEnvironment } from "../_runtime/config.ts";
import type { Log } from "../_runtime/log.ts";
import type { ProcessPlan } from "./plan.ts";

/** A process that is started again whenever it ends, until it is stopped. */
export interface Child {
  readonly plan: ProcessPlan;
  /** Of the one running now; undefined between two. */
  pid(): number | undefined;
  /** SIGTERM, then SIGKILL for one that does not end by itself; resolves once it is gone for good. */
  stop(): Promise<void>;
  /** SIGKILL at once, and no more starts. */
  kill(): void;
}

/** What a child needs beside its plan; `say` tells the person at the terminal. */
export interface ChildOptions {
  readonly logsDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly say: (words: string) => void;
}

/** The first two waits bring a killed process back well within 2 s; one that cannot start is then tried ever more rarely. */
const restartMinMs = 100;
const restartMaxMs = 10_000;

/** Running so long, a process counts as healthy, and its next end as its first. */
const healthyMs = 30_000;

/** Services give themselves 12 s to end (services/_runtime/process.ts); one that takes longer hangs. */
const stopMaxMs = 13_000;

/** npm links no packages, and asking of every file whether its path has links is a tenth of a start. */
const flags = ["--preserve-symlinks"];

/** Starts a process and keeps it running. Its output goes to the end of `<logsDir>/<name>.log`, where it logs anyway. */
export function startChild(plan: ProcessPlan, { logsDir, clock, log, say }: ChildOptions): Child {
  const stopping = new AbortController();
  let running: ChildProcess | undefined;
  const ended = keepRunning();
  return {
    plan,
    pid: () => running?.pid,
    stop: async () => {
      stopping.abort();
      running?.kill("SIGTERM");
      const timeout = new AbortController();
      const slow = clock.sleep(stopMaxMs, timeout.signal).then(() => running?.kill("SIGKILL"));
      await ended;
      timeout.abort();
      await slow.catch(() => undefined);
    },
    kill: () => {
      stopping.abort();
      running?.kill("SIGKILL");
    },
  };

  async function keepRunning(): Promise<void> {
    for (let failuresCount = 0; ; failuresCount += 1) {
      const startMs = clock.preciseMs();
      const end = await runOnce();
      if (stopping.signal.aborted) return;
      if (clock.preciseMs() - startMs > healthyMs) failuresCount = 0;
      const waitMs = waitAfter(failuresCount);
      log.warn("a process ended and is started again", { process: plan.name, end, waitMs });
      say(`${plan.name} ended (${end}); started again in ${waitMs / 1000} s, see ${join(logsDir, plan.name)}.log`);
      await clock.sleep(waitMs, stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted) return;
    }
  }

  /** Resolves with how it ended, in words. */
  function runOnce(): Promise<string> {
    const output = openSync(join(logsDir, `${plan.name}.log`), "a", 0o600);
    const child = spawn(process.execPath, [...flags, plan.main], {
      env: createEnvironment(plan.environment),
      // The channel tells the child that we live, and us that it serves: the kernel closes it when either dies.
      stdio: ["ignore", output, output, "ipc"],
      windowsHide: true,
    });
    closeSync(output);
    running = child;
    return new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    }).finally(() => {
      running = undefined;
    });
  }
}

/** 0.1, 0.4, 1.6, 6.4, 10, 10 … seconds. */
function waitAfter(failuresCount: number): number {
  return Math.min(restartMinMs * 4 ** failuresCount, restartMaxMs);
}
