import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Client } from "pg";
import { connectOwner } from "../_database/connect-owner.ts";
import type { Clock } from "../_runtime/clock.ts";
import { copyDatabase } from "./copy-database.ts";
import { assertProgram, dumpDatabase } from "./dump.ts";
import { type BackupFile, copyFile, describeFile, type Manifest, syncFolder, writeManifest } from "./manifest.ts";
import { atQuietMoment } from "./quiet-moment.ts";
import { BackupRefusal } from "./refusal.ts";
import { readSecrets, writeSecrets } from "./secrets-half.ts";

/** What is backed up, and where to. */
export interface BackupOptions {
  readonly dataDir: string;
  readonly ownerUrl: string;
  /** Whether the database is a server of one's own, and not the embedded Postgres of the data folder. */
  readonly isOwnServer: boolean;
  /** The folder that is made. */
  readonly target: string;
  readonly passphrase: string | undefined;
  readonly clock: Clock;
}

/** The sandbox bank's book (services/bank/sandbox/statement.ts), with which the audit compares the database. */
const JOURNAL = "bank/journal";

/**
 * Backs up a running Tripe: the database, the sandbox bank's book as it was at the same moment, and the secrets, sealed under the
 * passphrase. The target appears whole or not at all. Refuses, in one sentence, a Tripe with live keys or data without a passphrase.
 */
export async function backUp(options: BackupOptions): Promise<Manifest> {
  const { target, ownerUrl, passphrase } = options;
  if (existsSync(target)) throw new BackupRefusal(`${target} is there already: name a folder that is not`);
  const client = await connectOwner(ownerUrl, "tripe_backup");
  const draft = `${target}.part-${randomBytes(4).toString("hex")}`;
  try {
    if (passphrase === undefined && (await isLive(client))) {
      throw new BackupRefusal(
        "this Tripe has live keys or data, and its secrets go nowhere unsealed: set TRIPE_BACKUP_PASSPHRASE_FILE",
      );
    }
    await mkdir(draft, { recursive: true, mode: 0o700 });
    const manifest = await fill(options, client, draft);
    await syncFolder(draft);
    await rename(draft, target);
    await syncFolder(dirname(target));
    return manifest;
  } finally {
    await client.end();
    await rm(draft, { recursive: true, force: true });
  }
}

async function fill(options: BackupOptions, client: Client, draft: string): Promise<Manifest> {
  const { dataDir, passphrase, clock, isOwnServer } = options;
  const { rows } = await client.query<{ major: number }>(
    "select current_setting('server_version_num')::int / 10000 as major",
  );
  const major = rows[0]?.major ?? 0;
  const taken = isOwnServer
    ? await takeDump(options, { client, draft, major })
    : await takeFiles(options, { client, draft });
  const journal =
    taken.journalBytes === undefined
      ? undefined
      : await copyFile(join(dataDir, JOURNAL), { to: draft, path: JOURNAL, bytesMax: taken.journalBytes });
  const manifest: Manifest = {
    format: 1,
    time: new Date(clock.nowMs()).toISOString(),
    database: isOwnServer ? "dump" : "files",
    major,
    isSealed: passphrase !== undefined,
    folders: taken.folders,
    files: [...taken.files, ...(journal === undefined ? [] : [journal])],
  };
  // Before the manifest's hash, which seals them: keys that rotate meanwhile are in the file before the database knows them.
  const secrets = await readSecrets(dataDir);
  const hash = await writeManifest(draft, manifest);
  await writeSecrets(draft, secrets, { passphrase, hash });
  return manifest;
}

interface Taken {
  readonly files: readonly BackupFile[];
  readonly folders: readonly string[];
  /** How long the bank's book was at the moment of the database; undefined when there is none. */
  readonly journalBytes: number | undefined;
}

async function takeFiles(
  { dataDir, ownerUrl, clock }: BackupOptions,
  { client, draft }: { client: Client; draft: string },
): Promise<Taken> {
  let journalBytes: number | undefined;
  const copied = await copyDatabase(client, {
    databaseDir: join(dataDir, "postgres"),
    to: draft,
    atStop: (stop) =>
      atQuietMoment({ ownerUrl, clock }, async () => {
        const stopped = await stop();
        journalBytes = await sizeOf(join(dataDir, JOURNAL));
        return stopped;
      }),
  });
  return { ...copied, journalBytes };
}

async function takeDump(
  { dataDir, ownerUrl, clock }: BackupOptions,
  { client, draft, major }: { client: Client; draft: string; major: number },
): Promise<Taken> {
  await assertProgram("pg_dump", major);
  const moment = await atQuietMoment({ ownerUrl, clock }, async () => {
    await client.query("begin isolation level repeatable read read only");
    const { rows } = await client.query<{ snapshot: string }>("select pg_export_snapshot() as snapshot");
    return { snapshot: rows[0]?.snapshot ?? "", journalBytes: await sizeOf(join(dataDir, JOURNAL)) };
  });
  const path = "database.dump";
  await dumpDatabase({ url: ownerUrl, file: join(draft, path), snapshot: moment.snapshot });
  await client.query("commit");
  return { files: [await describeFile(draft, path)], folders: [], journalBytes: moment.journalBytes };
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size;
}

/** Whether a live account has a key, or anything of its merchant's. */
async function isLive(client: Client): Promise<boolean> {
  const tables = ["api_key", "customer", "payment_method", "charge", "invoice", "webhook_endpoint"];
  const parts = tables.map((table) => `exists (select from tripe.${table} t join live using (account_id))`);
  const { rows } = await client.query<{ is_live: boolean }>(
    `with live as (select account_id from tripe.account where is_live) select ${parts.join(" or ")} as is_live`,
  );
  return rows[0]?.is_live !== false;
}
