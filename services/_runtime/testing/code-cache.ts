import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "node_modules", ".cache", "tripe");

/** The folder of compiled code that all test runs of this checkout share: to compile a whole Tripe anew takes 10 s of a core. */
export async function openCodeCache(): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  return FOLDER;
}

/** Gives the shared compiled code to a Tripe that is to start in a new data folder. */
export async function linkCodeCache(dataDir: string): Promise<void> {
  await symlink(await openCodeCache(), join(dataDir, "cache"));
}
