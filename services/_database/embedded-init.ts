import { closeSync, existsSync, openSync, readFileSync, statSync } from "node:fs";
import { chown, lchown, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../_runtime/clock.ts";
import { type Binaries, type Runner, run, waitForExit } from "./embedded-runner.ts";
import { isCode } from "./kept-secret.ts";

/** The major version of the packaged Postgres; a data folder is readable by its own major version only. */
const versionMajor = "18";

/** Leftovers of an initdb that was killed are cleared after this: a hundred times what initdb needs. */
const draftAgeMs = 60_000;

/** What makes a data folder: where, by whom, and the superuser's password. */
export interface InitOptions {
  readonly binaries: Binaries;
  readonly runner: Runner;
  readonly databaseDir: string;
  readonly logPath: string;
  readonly password: string;
  readonly durable: boolean;
}

/**
 * Makes the data folder of a new Postgres with the superuser `tripe`, or checks the one that is there. The folder appears
 * whole or not at all, whatever is killed meanwhile. Refuses another major version's folder, in words.
 */
export async function prepareDatabaseDir(options: InitOptions): Promise<void> {
  const { databaseDir, runner } = options;
  if (!existsSync(databaseDir)) await createDatabaseDir(options);
  const version = readFileSync(join(databaseDir, "PG_VERSION"), "utf8").trim();
  if (version !== versionMajor) {
    throw new Error(
      `${databaseDir} was written by Postgres ${version}, and this Tripe brings Postgres ${versionMajor}, which cannot read ` +
        "it. Start it with the Tripe that wrote it, or set TRIPE_DATA_DIR to a new folder.",
    );
  }
  // A folder of root's, made in a user namespace, is handed over where namespaces are no longer allowed.
  const { uid, gid } = runner.ids;
  if (uid !== undefined && gid !== undefined && statSync(databaseDir).uid !== uid)
    await handOver(databaseDir, uid, gid);
}

async function createDatabaseDir(options: InitOptions): Promise<void> {
  const { databaseDir, runner } = options;
  await clearDrafts(`${databaseDir}.new-`);
  const parent = await mkdtemp(`${databaseDir}.new-`);
  const [draft, passwordPath] = [join(parent, "database"), join(parent, "password")];
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordPath, options.password, { mode: 0o600 });
    const { uid, gid } = runner.ids;
    if (uid !== undefined && gid !== undefined) await handOver(parent, uid, gid);
    await runInitdb(options, draft, passwordPath);
    await rename(draft, databaseDir).catch((error: unknown) => {
      // Somebody else was faster: theirs is used, as it holds the same password.
      if (!isCode(error, "ENOTEMPTY") && !isCode(error, "EEXIST")) throw error;
    });
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

async function runInitdb(options: InitOptions, draft: string, passwordPath: string): Promise<void> {
  const output = openSync(options.logPath, "a", 0o600);
  try {
    const command = [options.binaries.initdb, "-D", draft, "-U", "tripe", `--pwfile=${passwordPath}`];
    // The builtin provider sorts the same on every machine and never changes under an index, as a system's locale may.
    command.push("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C");
    command.push("--auth=scram-sha-256", ...(options.durable ? [] : ["--no-sync"]));
    const code = await waitForExit(run(options.runner, command, { cwd: draft, output }));
    if (code !== 0) throw new Error(`initdb ended with ${code}: see ${options.logPath}.`);
  } finally {
    closeSync(output);
  }
}

async function clearDrafts(prefix: string): Promise<void> {
  const parent = join(prefix, "..");
  const drafts = (await readdir(parent)).map((name) => join(parent, name)).filter((path) => path.startsWith(prefix));
  for (const path of drafts) {
    if (systemClock.nowMs() - statSync(path).mtimeMs > draftAgeMs) await rm(path, { recursive: true, force: true });
  }
}

async function handOver(path: string, uid: number, gid: number): Promise<void> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  for (const entry of entries) await lchown(join(entry.parentPath, entry.name), uid, gid);
  await chown(path, uid, gid);
}
