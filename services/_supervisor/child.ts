import { join } from "node:path";
import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";
import { endLife, type Life, launch } from "./life.ts";
import type { ProcessPlan } from "./plan.ts";

/** A process that is started again whenever it ends, until it is stopped. */
export interface Child {
  readonly plan: ProcessPlan;
  /** Of the one running now; undefined between two. */
  pid(): number | undefined;
  /**
   * Starts another process from the same plan, and once that serves drains and ends the former; resolves when the former is
   * gone. When the new one does not come up the former goes on, and the promise rejects with the reason in words.
   */
  replace(): Promise<void>;
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

/** A start takes 1 to 3 s, on a busy machine ten times as long. */
const readyMaxMs = 30_000;

/** Starts a process and keeps it running. Its output goes to the end of `<logsDir>/<name>.log`, where it logs anyway. */
export function startChild(plan: ProcessPlan, { logsDir, clock, log, say }: ChildOptions): Child {
  const stopping = new AbortController();
  const logPath = `${join(logsDir, plan.name)}.log`;
  let current: Life | undefined;
  let successor: Life | undefined;
  const lives = () => [current, successor].filter((life) => life !== undefined);
  const ended = keepRunning();
  return {
    plan,
    pid: () => current?.pid,
    replace,
    stop: async () => {
      stopping.abort();
      await Promise.all([ended, ...lives().map((life) => endLife(life, () => life.kill("SIGTERM"), clock))]);
    },
    kill: () => {
      stopping.abort();
      for (const life of lives()) life.kill("SIGKILL");
    },
  };

  async function keepRunning(): Promise<void> {
    for (let failuresCount = 0; ; failuresCount += 1) {
      const { words: end, startMs } = await runUntilEnd(launch(plan, { logPath, clock }));
      if (stopping.signal.aborted) return;
      if (clock.preciseMs() - startMs > healthyMs) failuresCount = 0;
      const waitMs = waitAfter(failuresCount);
      log.warn("a process ended and is started again", { process: plan.name, end, waitMs });
      say(`${plan.name} ended (${end}); started again in ${waitMs / 1000} s, see ${logPath}`);
      await clock.sleep(waitMs, stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted) return;
    }
  }

  /** Resolves when the running process has ended: this one, or the last of those that took its place. */
  async function runUntilEnd(first: Life): Promise<{ words: string; startMs: number }> {
    current = first;
    for (let watched = first; ; watched = current) {
      const words = (await Promise.race([watched.ended, watched.superseded])) ?? "replaced";
      if (current === watched) {
        current = successor;
        successor = undefined;
      }
      if (current === undefined) return { words, startMs: watched.startMs };
    }
  }

  async function replace(): Promise<void> {
    if (current === undefined || stopping.signal.aborted) throw new Error(`${plan.name} does not run now`);
    if (successor !== undefined) throw new Error(`${plan.name} is being replaced already`);
    const former = current;
    const next = launch(plan, { logPath, clock });
    successor = next;
    const failure = await waitUntilReady(next, clock);
    if (failure !== undefined) {
      if (successor === next) successor = undefined;
      next.kill("SIGKILL");
      throw new Error(`the new ${plan.name} does not come up (${failure}), see ${logPath}; the former one goes on`);
    }
    log.info("a process was replaced", { process: plan.name, former: former.pid, pid: next.pid });
    // Where the former has died meanwhile, the new one has its place already.
    if (current === former) {
      current = next;
      successor = undefined;
    }
    await endLife(former, former.supersede, clock);
  }
}

/** Resolves with undefined once a process serves, or with why it does not. */
async function waitUntilReady(life: Life, clock: Clock): Promise<string | undefined> {
  const timeout = new AbortController();
  const late = clock.sleep(readyMaxMs, timeout.signal).then(
    () => `it does not serve after ${readyMaxMs / 1000} s`,
    () => undefined,
  );
  const failure = await Promise.race([life.ready.then(() => undefined), life.ended, late]);
  timeout.abort();
  return failure;
}

/** 0.1, 0.4, 1.6, 6.4, 10, 10 … seconds. */
function waitAfter(failuresCount: number): number {
  return Math.min(restartMinMs * 4 ** failuresCount, restartMaxMs);
}
