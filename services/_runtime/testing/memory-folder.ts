import { constants } from "node:fs";
import { access, mkdtemp, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Linux's file system in memory. Elsewhere, and where it is small as in containers, tests use the temporary folder. */
const MEMORY = "/dev/shm";

/** A test run's databases take up to 1 GB, its write-ahead log and those of whole Tripes another. */
const FREE_MIN_BYTES = 3e9;

/**
 * Makes a folder for what a test deletes again, in memory where there is room, and returns its path. On disk, making a
 * file after many were deleted is slow: ext4 skips every inode freed in the last seconds, which was 40 % of the CPU time
 * of the tests' Postgres. A TMPDIR of the user's own is respected.
 */
export async function createMemoryFolder(prefix: string): Promise<string> {
  return mkdtemp(join(await chooseParent(), prefix));
}

async function chooseParent(): Promise<string> {
  if (tmpdir() !== "/tmp") return tmpdir();
  try {
    await access(MEMORY, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(MEMORY);
    return bavail * bsize >= FREE_MIN_BYTES ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}
