import { type Client, escapeIdentifier } from "pg";
import type { Log } from "../_runtime/log.ts";
import { nameRole, roleNames, rolePattern } from "./role-names.ts";

/**
 * Takes from other roles of Tripe's what they hold in this database: those that a copied database has from its original,
 * those without a number, which a Tripe made when all databases of a server shared them, and the scheduler's, from when it had a
 * queue. In their own database they keep everything. To be run by the owner, in a transaction, after this database's own roles
 * were made.
 */
export async function takeRightsBack(client: Client, databaseId: string): Promise<void> {
  const own = roleNames.map((role) => nameRole(role, databaseId));
  const { rows } = await client.query<{ name: string }>(
    `select distinct r.rolname::text as name from pg_shdepend d join pg_roles r on r.oid = d.refobjid
      where (d.dbid = $1::oid or d.classid = 'pg_database'::regclass and d.objid = $1::oid)
        and d.refclassid = 'pg_authid'::regclass and r.rolname ~ $2 and r.rolname <> all($3::text[])`,
    [databaseId, rolePattern, own],
  );
  for (const { name } of rows) {
    const other = escapeIdentifier(name);
    await client.query(
      `do $$ begin execute format('revoke all on database %I from ${other}', current_database()); end $$`,
    );
    await client.query(
      `revoke all on all tables in schema tripe from ${other};
      revoke all on all sequences in schema tripe from ${other};
      revoke all on schema tripe from ${other}`,
    );
  }
}

/**
 * Drops the roles of databases that are gone, this database's of a scheduler that had a queue, and those without a number once
 * no database needs them. What is still needed, is
 * connected, or belongs to another administrator stays. Returns the names of the roles dropped.
 */
export async function dropUnusedRoles(client: Client, databaseId: string, log: Log): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select r.rolname::text as name from pg_roles r
      where r.rolname ~ $1 and not exists (select from pg_stat_activity a where a.usesysid = r.oid)
        and (r.rolname = $2 or not exists (select from pg_database d where r.rolname ~ ('_' || d.oid || '$')))
        and not exists (select from pg_shdepend s where s.refclassid = 'pg_authid'::regclass and s.refobjid = r.oid
          and s.deptype in ('o', 'a'))`,
    [rolePattern, `tripe_scheduler_${databaseId}`],
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
