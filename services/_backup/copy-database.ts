import { mkdir, readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Client } from "pg";
import { type BackupFile, copyFile, writeBackupFile } from "./manifest.ts";
import { BackupRefusal } from "./refusal.ts";

/** What Postgres makes anew at its start, or must not find (Postgres' manual, "Backing Up the Data Directory"): their folders stay, empty. */
const EMPTY_FOLDERS: ReadonlySet<string> = new Set(
  "pg_dynshmem pg_notify pg_replslot pg_serial pg_snapshots pg_stat_tmp pg_subtrans pg_wal".split(" "),
);

const LEFT_OUT =
  /(^|\/)(postmaster\.(pid|opts)|pg_internal\.init.*|pgsql_tmp.*|backup_label|tablespace_map)$|^\.s\.PGSQL\./;

/** Copied last: it may be newer than the other files, never older. */
const CONTROL_FILE = "global/pg_control";

/** A checkpoint of a busy database takes seconds, and each statement here waits for one. */
const PATIENCE_MS = 600_000;

/** What was copied of a database: its files, and the folders that are there without any. */
export interface CopiedDatabase {
  readonly files: BackupFile[];
  readonly folders: string[];
}

/**
 * Copies the files of a running Postgres and the write-ahead log that makes them whole, by pg_backup_start and pg_backup_stop: restored, it
 * recovers to the moment of the stop, which happens within `atStop`. A slot that ends with the connection keeps the log until it is copied.
 */
export async function copyDatabase(
  client: Client,
  { databaseDir, to, atStop }: { databaseDir: string; to: string; atStop: <T>(stop: () => Promise<T>) => Promise<T> },
): Promise<CopiedDatabase> {
  const ask = async <Row>(text: string, values: unknown[] = []): Promise<Row> => {
    const statement = { text, values, query_timeout: PATIENCE_MS };
    const { rows } = await client.query(statement);
    return rows[0] as Row;
  };
  if ((await readdir(join(databaseDir, "pg_tblspc"))).length > 0) {
    throw new BackupRefusal("the database has tablespaces of its own, which this backup does not carry");
  }
  await ask("select pg_create_physical_replication_slot('tripe_backup_' || pg_backend_pid(), true, true)");
  const start = await ask<{ wal: string }>("select pg_walfile_name(pg_backup_start('tripe backup', true)) as wal");
  const copied = await copyFiles(databaseDir, to);
  const stop = await atStop(() =>
    ask<{ wal: string; label: string }>(
      "select pg_walfile_name(lsn) as wal, labelfile as label from pg_backup_stop(false)",
    ),
  );
  const log = await copyLog(databaseDir, { to, first: start.wal, last: stop.wal });
  const label = await writeBackupFile(to, { path: "database/backup_label", content: stop.label });
  return { files: [...copied.files, ...log, label], folders: copied.folders };
}

async function copyFiles(databaseDir: string, to: string): Promise<CopiedDatabase> {
  const files: BackupFile[] = [];
  const folders = ["pg_wal/archive_status", "pg_wal/summaries"];
  const entries = await readdir(databaseDir, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => ({
    path: relative(databaseDir, join(entry.parentPath, entry.name)).split(sep).join("/"),
    isFolder: entry.isDirectory(),
    isFile: entry.isFile(),
  }));
  for (const { path, isFolder, isFile } of paths) {
    const [top = ""] = path.split("/");
    if (isFolder && (!EMPTY_FOLDERS.has(top) || path === top)) folders.push(path);
    if (!isFile || EMPTY_FOLDERS.has(top) || LEFT_OUT.test(path) || path === CONTROL_FILE) continue;
    const file = await copyFile(join(databaseDir, path), { to, path: `database/${path}` });
    if (file !== undefined) files.push(file);
  }
  const control = await copyFile(join(databaseDir, CONTROL_FILE), { to, path: `database/${CONTROL_FILE}` });
  if (control === undefined) throw new Error(`${databaseDir} has no ${CONTROL_FILE}`);
  return { files: [...files, control], folders };
}

async function copyLog(
  databaseDir: string,
  { to, first, last }: { to: string; first: string; last: string },
): Promise<BackupFile[]> {
  const files: BackupFile[] = [];
  await mkdir(join(to, "database", "pg_wal"), { recursive: true, mode: 0o700 });
  for (const name of (await readdir(join(databaseDir, "pg_wal"))).sort()) {
    if (!/^[0-9A-F]{24}$/.test(name) || name < first || name > last) continue;
    const file = await copyFile(join(databaseDir, "pg_wal", name), { to, path: `database/pg_wal/${name}` });
    if (file !== undefined) files.push(file);
  }
  // Without its first and last part the copy would not recover, and would look as if it did.
  const names = files.map(({ path }) => path.split("/").at(-1));
  if (!names.includes(first) || !names.includes(last)) throw new Error(`the write-ahead log lacks ${first} or ${last}`);
  return files;
}
