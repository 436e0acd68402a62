import { closeSync, fstatSync, mkdirSync, openSync, statSync, write, writeSync } from "node:fs";
import { dirname } from "node:path";
import { systemClock } from "./clock.ts";
import { rotateLog } from "./log-rotation.ts";

/** A file that lines are added to. */
export interface LogFile {
  /** Takes a line, which ends in a line feed; it is on disk FLUSH_INTERVAL_MS later. */
  write(line: string): void;
  /** Resolves once everything taken so far is on disk. */
  flush(): Promise<void>;
}

// Lines leave in blocks of this size, or after the interval. At 64 KiB a line costs 0.2 µs; at 16 KiB 0.8, and through
// pino's own destination, which keeps its blocks below that, 3.2.
const BLOCK_CHARS = 65_536;

/**
 * How long a line waits for others at most; a process that is killed loses the lines of this time. A write takes a thread of the pool, some
 * 50 µs, and one process has the logs of nine.
 */
export const FLUSH_INTERVAL_MS = 100;

// A disk that stands still must not fill the memory: beyond this, lines are dropped.
const PENDING_MAX_CHARS = 8_388_608;

/**
 * Opens a file to add lines to, and its folder where it is missing. At `maxBytes` it is moved aside (log-rotation.ts), by
 * whichever of its writers sees that first. What is left at the process's exit is written then.
 */
export function openLogFile(path: string, maxBytes = Number.POSITIVE_INFINITY): LogFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let file = openSync(path, "a", 0o600);
  let pending = "";
  let writing: Promise<void> | undefined;
  const writeOut = (): Promise<void> => {
    file = reopen(path, file, maxBytes);
    const block = Buffer.from(pending);
    pending = "";
    // A full disk must not stop payments: the lines are lost instead.
    return new Promise((resolve) => write(file, block, () => resolve()));
  };
  const flush = async (): Promise<void> => {
    while (writing !== undefined || pending !== "") {
      writing ??= writeOut().finally(() => {
        writing = undefined;
      });
      await writing;
    }
  };
  // A log that says nothing takes no time: the timer runs only while lines wait.
  let isFlushing = false;
  const flushLater = () => {
    if (isFlushing) return;
    isFlushing = true;
    systemClock.setTimer(() => {
      isFlushing = false;
      void flush();
    }, FLUSH_INTERVAL_MS);
  };
  process.on("exit", () => writeAtExit(file, pending));
  return {
    write(line) {
      if (pending.length >= PENDING_MAX_CHARS) return;
      pending += line;
      flushLater();
      if (pending.length >= BLOCK_CHARS && writing === undefined) void flush();
    },
    flush,
  };
}

/** The file to write to: another than before once the log has grown too large, or another writer has moved it. */
function reopen(path: string, file: number, maxBytes: number): number {
  try {
    const held = fstatSync(file);
    if (held.size >= maxBytes) rotateLog(path, maxBytes);
    if (statSync(path, { throwIfNoEntry: false })?.ino === held.ino) return file;
    const next = openSync(path, "a", 0o600);
    closeSync(file);
    return next;
  } catch {
    return file;
  }
}

function writeAtExit(file: number, text: string): void {
  try {
    writeSync(file, text);
  } catch {
    // The disk is full: there is nothing left to write to.
  }
}
