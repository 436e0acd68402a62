import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Clock } from "../_runtime/clock.ts";
import { createEnvironment } from "../_runtime/config.ts";
import { isReadyMessage, type ReplacedMessage } from "../_runtime/process.ts";
import type { ProcessPlan } from "./plan.ts";

/** One process, from its start to its end. */
export interface Life {
  readonly pid: number | undefined;
  readonly startMs: number;
  /** Resolves with how it ended, in words. */
  readonly ended: Promise<string>;
  /** Resolves once it serves. */
  readonly ready: Promise<void>;
  /** Resolves once another has taken its place. */
  readonly superseded: Promise<void>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
  /** Says to the process that another has taken its place: it drains and ends. */
  supersede(): void;
}

/** What a process is launched with; its output goes to the end of the log. */
export interface LaunchOptions {
  readonly logPath: string;
  readonly clock: Clock;
}

const flags = [
  // npm links no packages, and asking of every file whether its path has links is a tenth of a start.
  "--preserve-symlinks",
  // V8 lets garbage grow to hundreds of megabytes before it collects the old space for the first time, and lets the new one
  // grow to 16. So 1,000 charges took 130 to 140 MB of the edge, the writer and transactions; with these, 60 to 95.
  "--initial-old-space-size=16",
  "--max-semi-space-size=8",
];

/** Where a process finds the socket that it listens on: the first descriptor after the standard ones and the channel. */
const LISTEN_FD = 4;

/** Services give themselves 12 s to end (services/_runtime/process.ts); one that takes longer hangs. */
const END_MAX_MS = 13_000;

/** Starts a process. */
export function launch({ main, environment, listenFd }: ProcessPlan, { logPath, clock }: LaunchOptions): Life {
  const output = openSync(logPath, "a", 0o600);
  const shared =
    listenFd === undefined ? { words: [], fds: [] } : { words: [`--listen-fd=${LISTEN_FD}`], fds: [listenFd] };
  const child = spawn(process.execPath, [...flags, main, ...shared.words], {
    env: createEnvironment(environment),
    // The channel tells the child that we live, and us that it serves: the kernel closes it when either dies.
    stdio: ["ignore", output, output, "ipc", ...shared.fds],
    windowsHide: true,
  });
  closeSync(output);
  const { promise: superseded, resolve } = Promise.withResolvers<void>();
  return {
    pid: child.pid,
    startMs: clock.preciseMs(),
    ...watch(child),
    superseded,
    kill: (signal) => child.kill(signal),
    supersede: () => {
      resolve();
      // Of one that has just ended by itself the channel is closed: then there is nothing to say.
      child.send({ replaced: true } satisfies ReplacedMessage, () => undefined);
    },
  };
}

function watch(child: ChildProcess): Pick<Life, "ended" | "ready"> {
  return {
    ended: new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    }),
    ready: new Promise((resolve) => {
      child.on("message", (message) => (isReadyMessage(message) ? resolve() : undefined));
    }),
  };
}

/** Asks a process to end, and kills it when it does not; resolves once it is gone. */
export async function endLife(life: Life, ask: () => void, clock: Clock): Promise<void> {
  ask();
  const timeout = new AbortController();
  const slow = clock.sleep(END_MAX_MS, timeout.signal).then(() => life.kill("SIGKILL"));
  await life.ended;
  timeout.abort();
  await slow.catch(() => undefined);
}
