import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { createEnvironment } from "../../services/_runtime/config.ts";
import type { WholeTripe } from "./whole-tripe.ts";

const program = join(import.meta.dirname, "..", "..", "services", "replace.ts");

/** Runs `npm run replace` beside a Tripe, and gives the lines that it prints; rejects when it fails. */
export async function replaceProcesses({ dataDir }: WholeTripe, names: readonly string[] = []): Promise<string[]> {
  const env = createEnvironment({ TRIPE_DATA_DIR: dataDir });
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...names], { env });
  return stdout.split("\n").filter(Boolean);
}
