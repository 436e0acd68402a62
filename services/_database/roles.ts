import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import { withSetupLock } from "./migrate.ts";

/**
 * Who connects to the database, besides the owner, who runs migrations and nothing else. `reader`, `writer` and `audit`
 * see the schema `tripe`; `scheduler` owns the schema `jobs`, pg-boss's, and sees nothing of `tripe`.
 */
export const roleNames = ["reader", "writer", "audit", "scheduler"] as const;

/** One of Tripe's database roles, `tripe_<name>` in Postgres. */
export type RoleName = (typeof roleNames)[number];

type Right = "select" | "insert" | "update" | "delete";

/** What a role may do with a table of `tripe` that `exceptions` does not list. Nobody but the owner may truncate. */
const defaults: Readonly<Record<RoleName, readonly Right[]>> = {
  reader: ["select"],
  writer: ["select", "insert", "update", "delete"],
  audit: ["select"],
  scheduler: [],
};

/** Tables with other rights than the default. What is posted stays posted (3-money.md), and migrations are the owner's. */
const exceptions: Readonly<Record<string, Partial<Record<RoleName, readonly Right[]>>>> = {
  ledger_transfer: { writer: ["select", "insert"] },
  ledger_entry: { writer: ["select", "insert"] },
  // The scheduler has the reader read it for a delivery; a proof of the books needs none of it.
  webhook_secret: { audit: [] },
  migration: { reader: [], writer: [], audit: ["select"] },
  // Read and written at a start, and by `npm run keys`.
  key_fingerprint: { reader: [], writer: [], audit: [] },
};

/** Limits of 7-reliability.md: a statement, a wait for a lock, an idle transaction that holds locks. */
const limits = { statement_timeout: "5s", lock_timeout: "1s", idle_in_transaction_session_timeout: "5s" };

/**
 * Every statement of reader and writer finds its rows by a key. Without this, plans made while a fresh Tripe's tables are
 * empty read whole tables, and a prepared statement keeps its plan until statistics say otherwise.
 */
const byKey = { enable_seqscan: "off" };

/** The settings each connection of a role begins with. pg-boss takes long locks of its own when it sets up its schema. */
const settings: Readonly<Record<RoleName, Readonly<Record<string, string>>>> = {
  reader: { ...limits, ...byKey, search_path: "tripe", default_transaction_read_only: "on" },
  writer: { ...limits, ...byKey, search_path: "tripe" },
  // The audit reads everything at once, and its proof may take long.
  audit: { search_path: "tripe", default_transaction_read_only: "on" },
  scheduler: { statement_timeout: "30s", search_path: "jobs" },
};

/** The owner's url, and the password of each role by its name in Postgres (`createPasswords` in embedded.ts). */
export interface RoleOptions {
  readonly url: string;
  readonly passwords: (role: string) => string;
}

/** RFC 7677's least number; more would only slow each connection down, as the passwords are keys of 256 bits. */
const scramRounds = 4096;

/**
 * Makes the roles, or sets them right: password, settings, and exactly the rights of the tables above on every table
 * there is now, so run it after the migrations. Rejects in words when the url's role may not make roles. Postgres' roles
 * belong to the whole server: two Tripes on one server need the same `secrets/database.key`.
 */
export async function setRoles(options: RoleOptions): Promise<void> {
  await withSetupLock(options.url, async (client) => {
    await assertMayCreateRoles(client);
    const tables = await readTables(client);
    await client.query("begin");
    for (const role of roleNames) {
      await setRole(client, role, options.passwords(`tripe_${role}`));
      await client.query(grantsOf(role, tables));
    }
    await client.query("create schema if not exists jobs authorization tripe_scheduler");
    await client.query("commit");
  });
}

/** The url of each role, made from the owner's. */
export function createRoleUrls(options: RoleOptions): Readonly<Record<RoleName, string>> {
  const urlOf = (role: RoleName) => {
    const url = new URL(options.url);
    url.username = `tripe_${role}`;
    url.password = options.passwords(`tripe_${role}`);
    return url.href;
  };
  return { reader: urlOf("reader"), writer: urlOf("writer"), audit: urlOf("audit"), scheduler: urlOf("scheduler") };
}

async function assertMayCreateRoles(client: Client): Promise<void> {
  const text = "select rolcreaterole or rolsuper as may from pg_roles where rolname = current_user";
  const { rows } = await client.query<{ may: boolean }>(text);
  if (rows[0]?.may === true) return;
  throw new Error(
    "The role of DATABASE_URL may not create roles, and each service of Tripe connects as a role of its own. " +
      "Let the server's administrator run: alter role <that role> createrole",
  );
}

async function readTables(client: Client): Promise<string[]> {
  const text = `select relname::text as name from pg_class
    where relnamespace = 'tripe'::regnamespace and relkind in ('r', 'p', 'v', 'm') order by relname`;
  const { rows } = await client.query<{ name: string }>(text);
  return rows.map((row) => row.name);
}

async function setRole(client: Client, role: RoleName, password: string): Promise<void> {
  const name = escapeIdentifier(`tripe_${role}`);
  const { rowCount } = await client.query("select 1 from pg_roles where rolname = $1", [`tripe_${role}`]);
  if (rowCount === 0) await client.query(`create role ${name}`);
  await client.query(`alter role ${name} login password ${escapeLiteral(createVerifier(password))}`);
  for (const [setting, value] of Object.entries(settings[role])) {
    await client.query(`alter role ${name} set ${escapeIdentifier(setting)} = ${escapeLiteral(value)}`);
  }
}

function grantsOf(role: RoleName, tables: readonly string[]): string {
  const name = escapeIdentifier(`tripe_${role}`);
  if (role === "scheduler") {
    // Making the schema in its name takes membership where the owner is no superuser.
    return `grant ${name} to current_user`;
  }
  const grants = tables.flatMap((table) => {
    const rights = exceptions[table]?.[role] ?? defaults[role];
    return rights.length === 0 ? [] : [`grant ${rights.join(", ")} on tripe.${escapeIdentifier(table)} to ${name}`];
  });
  return [
    `revoke all on all tables in schema tripe from ${name}`,
    `grant usage on schema tripe to ${name}`,
    ...(role === "writer" ? [`grant usage on all sequences in schema tripe to ${name}`] : []),
    ...grants,
  ].join(";\n");
}

/** What Postgres stores of a SCRAM password (RFC 5803), made here so that the password itself never reaches a server or its log. */
function createVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, scramRounds, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
  const serverKey = hmac("Server Key").toString("base64");
  return `SCRAM-SHA-256$${scramRounds}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
