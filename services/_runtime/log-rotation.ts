import { copyFileSync, existsSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { systemClock } from "./clock.ts";

/** How many older files are kept beside a log, `edge.log.1` the newest of them: with the log itself, five files at most. */
export const OLDER_LOGS = 4;

// A rotation is a few renames: a lock as old as this is one of a process that died in the middle.
const LOCK_STALE_MS = 10_000;

/** Says whether a file of the logs' folder is a log or an older part of one. */
export function isLogName(name: string): boolean {
  return /\.log(\.\d+)?$/.test(name);
}

/**
 * Moves a log that has reached its size to `<path>.1`, and each older one a number up; the oldest goes. Several processes may
 * write one log: one of them moves it, the others find another file at the path and open that one. Best effort: a disk
 * that refuses leaves the log as it is.
 */
export function rotateLog(path: string, maxBytes: number): void {
  withLock(path, () => {
    if (sizeOf(path) < maxBytes) return;
    makeRoom(path);
    renameSync(path, `${path}.1`);
  });
}

/** As `rotateLog`, for a log that a program holds open to append to and never opens again: what it holds is the emptied. */
export function rotateHeldLog(path: string, maxBytes: number): void {
  withLock(path, () => {
    if (sizeOf(path) < maxBytes) return;
    makeRoom(path);
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
  });
}

function makeRoom(path: string): void {
  rmSync(`${path}.${OLDER_LOGS}`, { force: true });
  for (let number = OLDER_LOGS - 1; number >= 1; number -= 1) {
    if (existsSync(`${path}.${number}`)) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  }
}

function withLock(path: string, work: () => void): void {
  const lock = `${path}.rotating`;
  try {
    const { mtimeMs } = statSync(lock, { throwIfNoEntry: false }) ?? {};
    if (mtimeMs !== undefined && systemClock.nowMs() - mtimeMs > LOCK_STALE_MS) rmSync(lock, { force: true });
    writeFileSync(lock, String(process.pid), { flag: "wx", mode: 0o600 });
  } catch {
    // Another writer rotates it now, or the disk takes no file.
    return;
  }
  try {
    work();
  } catch {
    // The log goes on where it is.
  } finally {
    rmSync(lock, { force: true });
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
