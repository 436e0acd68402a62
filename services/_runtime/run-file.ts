import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** What a running Tripe says of itself in `<data dir>/run/tripe.json`, for the tools beside it. */
export interface RunFile {
  /** The supervisor's. */
  readonly pid: number;
  /** The edge's origin, as this machine reaches it. */
  readonly url: string;
  /** Settings under which the tools find the rest. The database's url holds no user and no password. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Writes the file, readable by its owner alone; it appears whole or not at all. */
export function writeRunFile(dataDir: string, content: RunFile): void {
  const path = pathOf(dataDir);
  mkdirSync(join(dataDir, "run"), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

/** Removes the file, unless another Tripe has written it since. */
export function removeRunFile(dataDir: string): void {
  if (parse(dataDir)?.pid === process.pid) rmSync(pathOf(dataDir), { force: true });
}

/** Reads the file of the Tripe that runs on a data folder; undefined when none does, whatever a killed one left there. */
export function readRunFile(dataDir: string): RunFile | undefined {
  const found = parse(resolve(dataDir));
  return found !== undefined && isAlive(found.pid) ? found : undefined;
}

function pathOf(dataDir: string): string {
  return join(dataDir, "run", "tripe.json");
}

function parse(dataDir: string): RunFile | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(pathOf(dataDir), "utf8"));
    return isRunFile(content) ? content : undefined;
  } catch {
    // None, or the half file of another version: no Tripe that could be found.
    return undefined;
  }
}

function isRunFile(content: unknown): content is RunFile {
  if (typeof content !== "object" || content === null) return false;
  if (!("pid" in content && "url" in content && "settings" in content)) return false;
  const { pid, url, settings } = content;
  const isSettings = typeof settings === "object" && settings !== null;
  return Number.isInteger(pid) && typeof url === "string" && isSettings;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
