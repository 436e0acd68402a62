import { readFileSync, statfsSync } from "node:fs";

/** Why Postgres does not start, as far as that is known; on a full disk even its log may not say so. */
export function reasonOf(error: unknown, databaseDir: string): string {
  const { bavail, bsize } = statfsSync(databaseDir);
  if (bavail * bsize < fullBytes) return `the disk of ${databaseDir} is full`;
  return error instanceof Error ? error.message : String(error);
}

/** Less than one segment of Postgres' log of writes (16 MB), which it must be able to make. */
const fullBytes = 16_777_216;

/** The last lines of a log file beyond a position, for a message. */
export function readTail(path: string, from: number): string {
  const lines = readFileSync(path).subarray(from).toString("utf8").trim().split("\n");
  return `${lines.slice(-5).join(" / ")} (${path})`;
}
