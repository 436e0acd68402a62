import { type Client, escapeIdentifier } from "pg";
import type { Log } from "../_runtime/log.ts";
import { nameRole, rolePattern } from "./role-names.ts";

/**
 * Takes from other roles of Tripe's what they hold in this database: those that a copied database has from its original, and
 * those without a number, which a Tripe made when all databases of a server shared them. In their own database they keep
 * everything. To be run by the owner, in a transaction, after this database's own roles were made.
 */
export async function takeRightsBack(client: Client, databaseId: string): Promise<void> {
  const { rows } = await client.query<{ name: string; owns: boolean }>(
    `select r.rolname::text as name, bool_or(d.deptype = 'o') as owns
      from pg_shdepend d join pg_roles r on r.oid = d.refobjid
      where d.dbid = $1::oid and d.refclassid = 'pg_authid'::regclass and r.rolname ~ $2 and r.rolname !~ $3
      group by 1`,
    [databaseId, rolePattern, `_${databaseId}$`],
  );
  for (const { name, owns } of rows) {
    const other = escapeIdentifier(name);
    if (owns) await takeOver(client, other, escapeIdentifier(nameRole("scheduler", databaseId)));
    await client.query(
      `revoke all on all tables in schema tripe from ${other};
      revoke all on all sequences in schema tripe from ${other};
      revoke all on schema tripe from ${other}`,
    );
  }
}

/** Only the queue's tables belong to a role of Tripe's. Membership in both is what Postgres asks of the one who hands over. */
async function takeOver(client: Client, from: string, to: string): Promise<void> {
  await client.query(`grant ${from} to current_user; reassign owned by ${from} to ${to}`);
}

/**
 * Drops the roles of databases that are gone, and those without a number once no database needs them. What is still needed, is
 * connected, or belongs to another administrator stays. Returns the names of the roles dropped.
 */
export async function dropUnusedRoles(client: Client, log: Log): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select r.rolname::text as name from pg_roles r
      where r.rolname ~ $1 and not exists (select from pg_stat_activity a where a.usesysid = r.oid)
        and not exists (select from pg_database d where r.rolname ~ ('_' || d.oid || '$'))
        and not exists (select from pg_shdepend s where s.refclassid = 'pg_authid'::regclass and s.refobjid = r.oid
          and s.deptype in ('o', 'a'))`,
    [rolePattern],
  );
  const dropped: string[] = [];
  for (const { name } of rows) {
    try {
      await client.query(`drop role ${escapeIdentifier(name)}`);
      dropped.push(name);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.info("an unused database role stays", { role: name, reason });
    }
  }
  if (dropped.length > 0) log.info("unused database roles were dropped", { roles: dropped });
  return dropped;
}
