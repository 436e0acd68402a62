import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, DatabaseError } from "pg";
import type { Log } from "../_runtime/log.ts";
import { collateByBytes } from "./collate-bytes.ts";
import { connectOwner } from "./connect-owner.ts";
import { writeFirstStatistics } from "./first-statistics.ts";

/** The folder of Tripe's own migrations. */
export const migrationsFolder = fileURLToPath(new URL("./migrations", import.meta.url));

/** Whose database, and which folder of `0001_name.sql` files; the url's role owns all that they make. */
export interface MigrateOptions {
  readonly url: string;
  readonly log: Log;
  readonly folder?: string;
}

/** Any number will do, so long as all of Tripe's migrations and roles wait for the same one: "tripe" in ASCII. */
const setupLock = "500237627493";

/** An index over millions of rows is built within it; pg's usual limit of ten seconds is for services. */
const migrationMaxMs = 3_600_000;

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sha256: string;
  readonly text: string;
}

/**
 * Brings the schema `tripe` up to date: every file not applied yet, in order, each in a transaction of its own with
 * search_path = tripe; two at once wait for each other. Returns the names of those applied now. Rejects in words when a
 * file was changed after it was applied, when numbers have gaps, and when a file fails (with its line).
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const migrations = await readMigrations(options.folder ?? migrationsFolder);
  return withSetupLock(options.url, async (client) => {
    await prepareSchema(client);
    const applied = await readApplied(client);
    const unknown = [...applied.keys()].filter((number) => !migrations.some((one) => one.number === number));
    if (unknown.length > 0) options.log.warn("the database was migrated by a newer Tripe", { unknown });
    const missing = migrations.filter((migration) => !isApplied(migration, applied));
    const collated = new Set(await collateByBytes(client));
    for (const migration of missing) {
      await apply(client, migration);
      options.log.info("migration applied", { migration: migration.name });
      // After each: no column can get another collation once a generated column is made of it.
      for (const table of await collateByBytes(client)) collated.add(table);
    }
    if (collated.size > 0) options.log.info("texts compare byte by byte from now on", { tables: [...collated] });
    // Last: a column that gets another collation loses its statistics.
    await writeFirstStatistics(client);
    return missing.map((migration) => migration.name);
  });
}

/** Runs work on a connection of the database's owner, while no other migration or setting of roles runs. */
export async function withSetupLock<Answer>(url: string, work: (client: Client) => Promise<Answer>): Promise<Answer> {
  const client = await connectOwner(url, "tripe_setup");
  try {
    await client.query(patiently(`select pg_advisory_lock(${setupLock})`));
    return await work(client);
  } finally {
    // The lock ends with its connection.
    await client.end();
  }
}

/** `query_timeout` is pg's own, and its types leave it out. */
function patiently(text: string): { text: string; query_timeout: number } {
  return { text, query_timeout: migrationMaxMs };
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]);
      if (number !== index + 1) {
        throw new Error(`Migrations are named 0001_name.sql, 0002_name.sql and so on, without gaps; ${name} is not.`);
      }
      const text = await readFile(join(folder, name), "utf8");
      return { number, name, text, sha256: createHash("sha256").update(text).digest("hex") };
    }),
  );
}

async function prepareSchema(client: Client): Promise<void> {
  await client.query(`
    create schema if not exists tripe;
    create table if not exists tripe.migration (
      number integer primary key,
      name text not null,
      sha256 text not null,
      apply_time timestamptz not null default now()
    );
    comment on table tripe.migration is 'The migration files applied to this database, each with the hash of its text.'`);
}

async function readApplied(client: Client): Promise<Map<number, string>> {
  const { rows } = await client.query<{ number: number; sha256: string }>("select number, sha256 from tripe.migration");
  return new Map(rows.map((row) => [row.number, row.sha256]));
}

function isApplied(migration: Migration, applied: ReadonlyMap<number, string>): boolean {
  const sha256 = applied.get(migration.number);
  if (sha256 !== undefined && sha256 !== migration.sha256) {
    throw new Error(
      `${migration.name} was changed after it was applied to this database. Undo the change and add a new migration.`,
    );
  }
  return sha256 !== undefined;
}

async function apply(client: Client, { number, name, sha256, text }: Migration): Promise<void> {
  try {
    await client.query("begin; set local search_path = tripe");
    await client.query(patiently(text));
    const values = [number, name, sha256];
    await client.query("insert into tripe.migration (number, name, sha256) values ($1, $2, $3)", values);
    await client.query("commit");
  } catch (cause) {
    await client.query("rollback").catch(() => undefined);
    throw new Error(`Migration ${name}${lineOf(cause, text)} failed: ${describe(cause)}`, { cause });
  }
}

function lineOf(error: unknown, text: string): string {
  const position = error instanceof DatabaseError ? Number(error.position) : Number.NaN;
  return Number.isNaN(position) ? "" : `:${text.slice(0, position).split("\n").length}`;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
