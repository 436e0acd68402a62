import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { connectOwner } from "../_database/connect-owner.ts";
import { assertProgram, restoreDump } from "./dump.ts";
import { type Manifest, readManifest, restoreFile, syncFolder } from "./manifest.ts";
import { BackupRefusal } from "./refusal.ts";
import { openSecrets, placeSecrets } from "./secrets-half.ts";

/** What is restored, and where to. */
export interface RestoreOptions {
  readonly source: string;
  /** A folder that is empty, or is not there. */
  readonly dataDir: string;
  /** DATABASE_URL, for a backup of such a database. */
  readonly ownerUrl: string | undefined;
  readonly passphrase: string | undefined;
}

/**
 * Restores a backup to a data folder that is not there yet, and to the empty database of DATABASE_URL where it has one; the next start
 * recovers to the moment of the backup. Everything is compared with the manifest first: the folder appears whole or not at all. Refuses, in
 * one sentence, a folder or database with anything in it, a damaged backup, and a passphrase that does not open its secrets.
 */
export async function restore({ source, dataDir, ownerUrl, passphrase }: RestoreOptions): Promise<Manifest> {
  await assertEmpty(dataDir);
  const { manifest, hash } = await readManifest(source);
  await assertDatabase(manifest, ownerUrl);
  await assertSizes(source, manifest);
  const secrets = await openSecrets(source, { isSealed: manifest.isSealed, passphrase, hash });
  const draft = `${dataDir}.part-${randomBytes(4).toString("hex")}`;
  try {
    await mkdir(draft, { recursive: true, mode: 0o700 });
    await placeSecrets(draft, secrets);
    await placeFiles(source, manifest, draft);
    if (manifest.database === "dump" && ownerUrl !== undefined) {
      await restoreDump({ url: ownerUrl, file: join(draft, "database.dump") });
      await rm(join(draft, "database.dump"));
    }
    if (existsSync(dataDir)) await rmdir(dataDir);
    await rename(draft, dataDir);
    await syncFolder(dirname(dataDir));
    return manifest;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function placeFiles(source: string, { files, folders }: Manifest, draft: string): Promise<void> {
  for (const folder of folders) await mkdir(join(draft, "postgres", folder), { recursive: true, mode: 0o700 });
  for (const file of files) {
    await restoreFile(source, file, { folder: draft, path: file.path.replace(/^database\//, "postgres/") });
  }
}

async function assertEmpty(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch(() => []);
  if (names.length === 0) return;
  throw new BackupRefusal(
    `${dataDir} is not empty, and a restore overwrites nothing: set TRIPE_DATA_DIR to a folder that is not there`,
  );
}

async function assertDatabase({ database, major }: Manifest, ownerUrl: string | undefined): Promise<void> {
  if (database === "files") {
    if (ownerUrl === undefined) return;
    throw new BackupRefusal("this is the backup of an embedded Postgres: restore it without DATABASE_URL");
  }
  if (ownerUrl === undefined) {
    throw new BackupRefusal("this is the backup of a database of one's own: set DATABASE_URL to an empty one");
  }
  const client = await connectOwner(ownerUrl, "tripe_restore");
  try {
    const { rows } = await client.query("select 1 from pg_namespace where nspname = 'tripe'");
    if (rows.length > 0)
      throw new BackupRefusal("the database of DATABASE_URL has a Tripe in it already: make an empty one");
    await assertProgram("pg_restore", major);
  } finally {
    await client.end();
  }
}

/** Cheap, and so before anything else: most damage is a file that is missing or cut off. */
async function assertSizes(source: string, { files }: Manifest): Promise<void> {
  for (const { path, bytes } of files) {
    const found = await stat(join(source, path)).catch(() => undefined);
    if (found?.size === bytes) continue;
    const what = found === undefined ? "is missing" : `has ${found.size} bytes and not the ${bytes} that were written`;
    throw new BackupRefusal(`${source} is damaged: ${path} ${what}`);
  }
}
