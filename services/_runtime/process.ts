import { flushCompileCache } from "node:module";
import { type Clock, systemClock } from "./clock.ts";
import { type Config, readConfig } from "./config.ts";
import { crashAt } from "./crash-points.ts";
import { createLog, type Log } from "./log.ts";

/** What a process is started with. */
export interface ProcessContext {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
}

/** What a process has to let go of at its end. */
export interface Running {
  /** Ends well: takes no new work, lets running work end. Called once. */
  close(ending: Ending): Promise<void>;
}

/** How a process ends. */
export interface Ending {
  /** Another process has taken its place: what comes to this one all the same is still answered for a while. */
  readonly isReplaced: boolean;
}

/** What a child tells the process that started it, once it serves. */
export interface ReadyMessage {
  readonly ready: true;
}

/** What a child is sent by the process that started it, once another has taken its place: it is to end. */
export interface ReplacedMessage {
  readonly replaced: true;
}

/** Says whether a message of a child's is its ReadyMessage. */
export function isReadyMessage(message: unknown): message is ReadyMessage {
  return typeof message === "object" && message !== null && "ready" in message && message.ready === true;
}

// Servers give up on their calls after 10 s; a process that is still there after 12 is stuck, and is ended.
const CLOSE_MAX_MS = 12_000;

/**
 * Runs a process from its first line to its last: settings, log, `start`, then until SIGTERM, Ctrl-C or its parent's
 * death, whichever comes first; then `close`, once, and exit. A start that fails is said in words, exit code 1.
 */
export async function runService({
  name,
  start,
}: {
  readonly name: string;
  readonly start: (context: ProcessContext) => Promise<Running>;
}): Promise<void> {
  try {
    const config = readConfig();
    const log = createLog({ ...config, name });
    watchFaults(log);
    if (config.crashAt !== undefined) crashAt(config.crashAt);
    let running: Running | undefined;
    // Before the start: a parent that dies meanwhile would leave this process to nobody, and its port taken.
    onEnd((why) => (running === undefined ? process.exit(1) : void end({ running, log, why })));
    running = await start({ config, log, clock: systemClock });
    // The cache of compiled code is else written at a clean exit only, which a killed process never has.
    flushCompileCache();
    process.send?.({ ready: true } satisfies ReadyMessage);
  } catch (error) {
    process.stderr.write(`${name} did not start: ${wordsOf(error)}\n`);
    process.exit(1);
  }
}

async function end({ running, log, why }: { running: Running; log: Log; why: string }): Promise<void> {
  log.info("stopping", { why });
  try {
    await Promise.race([running.close({ isReplaced: why === REPLACED }), systemClock.sleep(CLOSE_MAX_MS)]);
  } catch (error) {
    log.error("did not stop well", error);
  }
  await log.flush();
  process.exit(0);
}

const REPLACED = "replaced";

function onEnd(callback: (why: string) => void): void {
  const isSupervised = process.channel !== undefined;
  let ended = false;
  const once = (why: string) => () => {
    if (ended) return;
    ended = true;
    callback(why);
  };
  process.on("SIGTERM", once("SIGTERM"));
  // Ctrl-C reaches the whole process group at once. Under a supervisor the order of the end is its business: it sends
  // SIGTERM, or it dies, and then the channel closes.
  process.on("SIGINT", isSupervised ? () => {} : once("SIGINT"));
  // The kernel closes the channel when the parent dies, of kill -9 too.
  if (isSupervised) process.on("disconnect", once("the parent is gone"));
  const replaced = once(REPLACED);
  if (isSupervised) process.on("message", (message) => (isReplacedMessage(message) ? replaced() : undefined));
}

function isReplacedMessage(message: unknown): message is ReplacedMessage {
  return typeof message === "object" && message !== null && "replaced" in message && message.replaced === true;
}

// After something nobody expected the state is unknown: better to end, and be started again, than to go on.
function watchFaults(log: Log): void {
  const die = (kind: string) => (error: unknown) => {
    log.error(kind, error);
    process.stderr.write(`${kind}: ${wordsOf(error)}\n`);
    process.exit(1);
  };
  process.on("uncaughtException", die("an exception nobody caught"));
  process.on("unhandledRejection", die("a rejection nobody handled"));
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${wordsOf(error.cause)})`;
}
