import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import type { Log } from "../_runtime/log.ts";
import { withSetupLock } from "./migrate.ts";
import { dropUnusedRoles, takeRightsBack } from "./retire-roles.ts";
import { nameRole, type RoleName, readDatabaseId, roleNames } from "./role-names.ts";
import { readRoleSettings } from "./role-settings.ts";
import { withUser } from "./role-url.ts";
import { createVerifier } from "./scram-verifier.ts";

type Right = "select" | "insert" | "update" | "delete";

/** What a role may do with a table of `tripe` that `exceptions` does not list. Nobody but the owner may truncate. */
const defaults: Readonly<Record<RoleName, readonly Right[]>> = {
  reader: ["select"],
  writer: ["select", "insert", "update", "delete"],
  audit: ["select"],
};

/** Tables with other rights than the default. What is posted stays posted (3-money.md), and migrations are the owner's. */
const exceptions: Readonly<Record<string, Partial<Record<RoleName, readonly Right[]>>>> = {
  ledger_transfer: { writer: ["select", "insert"] },
  ledger_entry: { writer: ["select", "insert"] },
  migration: { reader: [], writer: [], audit: ["select"] },
  // Read and written at a start, and by `npm run keys`.
  key_fingerprint: { reader: [], writer: [], audit: [] },
};

/** The owner's url, and the password of each role by its name in Postgres (`createPasswords` in embedded.ts). */
export interface RoleOptions {
  readonly url: string;
  readonly passwords: (role: string) => string;
  readonly log: Log;
}

/** The url of each role. */
export type RoleUrls = Readonly<Record<RoleName, string>>;

/**
 * Makes the roles of this database, or sets them right: password, settings, and exactly the rights of the tables above on
 * every table there is now, so run it after the migrations. What other roles of Tripe's hold in this database is taken from
 * them, and roles that no database needs are dropped (retire-roles.ts). Returns the url of each role.
 */
export async function setRoles(options: RoleOptions): Promise<RoleUrls> {
  return withSetupLock(options.url, async (client) => {
    const databaseId = await readDatabaseId(client);
    const tables = await readTables(client);
    await client.query("begin");
    for (const role of roleNames) {
      const name = nameRole(role, databaseId);
      await setRole(client, name, options.passwords(name), await readRoleSettings(client, role));
      await client.query(grantsOf(role, name, tables));
      await grantConnecting(client, role, name);
    }
    await takeRightsBack(client, databaseId);
    await client.query("commit");
    await dropUnusedRoles(client, databaseId, options.log);
    return createRoleUrls(options, databaseId);
  });
}

/** Sets the password of the embedded Postgres' superuser, unless the url has it already. */
export async function setOwnerPassword(url: string, password: string): Promise<void> {
  if (new URL(url).password === password) return;
  await withSetupLock(url, async (client) => {
    await client.query(`alter role current_user password ${escapeLiteral(createVerifier(password))}`);
  });
}

function createRoleUrls({ url, passwords }: RoleOptions, databaseId: string): RoleUrls {
  const urlOf = (role: RoleName) => withUser(url, nameRole(role, databaseId), passwords);
  return { reader: urlOf("reader"), writer: urlOf("writer"), audit: urlOf("audit") };
}

async function readTables(client: Client): Promise<string[]> {
  const text = `select relname::text as name from pg_class
    where relnamespace = 'tripe'::regnamespace and relkind in ('r', 'p', 'v', 'm') order by relname`;
  const { rows } = await client.query<{ name: string }>(text);
  return rows.map((row) => row.name);
}

async function setRole(
  client: Client,
  name: string,
  password: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const role = escapeIdentifier(name);
  const { rowCount } = await client.query("select 1 from pg_roles where rolname = $1", [name]);
  const set = Object.entries(settings).map(
    ([setting, value]) => `alter role ${role} set ${escapeIdentifier(setting)} = ${listOf(setting, value)}`,
  );
  await client.query(
    [
      ...(rowCount === 0 ? [`create role ${role}`] : []),
      `alter role ${role} login password ${escapeLiteral(createVerifier(password))}`,
      `alter role ${role} reset all`,
      ...set,
    ].join(";\n"),
  );
}

/** A list of words, which Postgres would take for one word when it is quoted as a whole. */
function listOf(setting: string, value: string): string {
  return setting === "datestyle" ? value : escapeLiteral(value);
}

function grantsOf(role: RoleName, roleName: string, tables: readonly string[]): string {
  const name = escapeIdentifier(roleName);
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

/** Everyone may connect, and make temporary tables, which the audit does; unless an administrator has taken that from all. */
async function grantConnecting(client: Client, role: RoleName, name: string): Promise<void> {
  for (const right of role === "audit" ? ["connect", "temporary"] : ["connect"]) {
    const text = `select has_database_privilege($1, current_database(), $2) as may,
      quote_ident(current_database()) as database`;
    const { rows } = await client.query<{ may: boolean; database: string }>(text, [name, right]);
    if (rows[0]?.may === false) {
      await client.query(`grant ${right} on database ${rows[0].database} to ${escapeIdentifier(name)}`);
    }
  }
}
