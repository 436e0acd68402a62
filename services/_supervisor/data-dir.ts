import { existsSync, mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** A new database takes some 50 MB; with less, Postgres or a log would fail a moment later with words of its own. */
const FREE_MIN_BYTES = 60_000_000;

/** How much a person may still write to the file system of a folder. */
export type FreeBytesOf = (folder: string) => number;

/**
 * Makes the data folder where it is missing and returns its absolute path. Refuses in one sentence what nothing can be kept
 * in: a file, a folder that cannot be written, a full disk.
 */
export function prepareDataDir(given: string, freeBytesOf: FreeBytesOf = askFreeBytes): string {
  const dataDir = resolve(given);
  const refuse = (words: string, cause?: unknown) => {
    throw new Error(`TRIPE_DATA_DIR: ${dataDir} ${words}`, { cause });
  };
  if (isFile(dataDir)) refuse("is a file, and has to be a folder.");
  const probe = join(dataDir, `.probe.${process.pid}`);
  try {
    makeFolder(join(dataDir, "logs"));
    writeFileSync(probe, "Tripe can write here\n", { mode: 0o600, flush: true });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    refuse(code === "ENOSPC" ? "is on a full disk." : `cannot be written (${code}).`, error);
  } finally {
    if (existsSync(probe)) rmSync(probe);
  }
  const freeBytes = freeBytesOf(dataDir);
  if (freeBytes < FREE_MIN_BYTES) {
    refuse(`has ${Math.floor(freeBytes / 1_000_000)} MB free, and Tripe needs ${FREE_MIN_BYTES / 1_000_000} MB.`);
  }
  return dataDir;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // It is not there, or below a folder that this user may not enter: making it says which.
    return false;
  }
}

/** As mkdir with `recursive`, which never returns where the system answers ENOENT to every new folder, as below /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
}

function askFreeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
