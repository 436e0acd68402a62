import type { Client } from "pg";
import { nameRole, readDatabaseId, roleNames } from "./role-names.ts";

/** Since this version a role that may create roles has power only over those that were given to it. */
const adminOptionVersion = 160_000;

interface Rights {
  readonly may_create_roles: boolean;
  readonly may_create_schemas: boolean;
  readonly database: string;
  /** A role that owns the schema, or a table of it, and whose member this one is not; null when there is none. */
  readonly other_owner: string | null;
  readonly schemas_count: number;
  readonly version: number;
  /** Roles of this database that are there, and that this one may not alter. */
  readonly foreign_roles: readonly string[];
}

/**
 * Refuses, in words that name the grant, a role that cannot do what a start does: make the schema, own the tables, make the
 * services' roles and alter them. `user` is the role's name.
 */
export async function refuseMissingRights(client: Client, user: string): Promise<void> {
  const rights = await readRights(client);
  const role = `the role ${user} of DATABASE_URL`;
  const ask = (statement: string) => `let the server's administrator run: ${statement}`;
  if (!rights.may_create_roles) {
    throw new Error(
      `${role} may not create roles, and each service of Tripe connects as a role of its own: ${ask(`alter role ${user} createrole`)}`,
    );
  }
  if (rights.schemas_count === 0 && !rights.may_create_schemas) {
    throw new Error(
      `${role} may not make a schema in the database ${rights.database}: ${ask(`grant create on database ${rights.database} to ${user}`)}`,
    );
  }
  if (rights.other_owner !== null) {
    throw new Error(
      `${role} does not own what Tripe made in the database ${rights.database}: connect as ${rights.other_owner}, or ` +
        ask(`grant ${rights.other_owner} to ${user}`),
    );
  }
  if (rights.foreign_roles.length > 0) {
    const names = rights.foreign_roles.join(", ");
    throw new Error(`${role} may not alter Tripe's roles there: ${ask(`grant ${names} to ${user} with admin option`)}`);
  }
}

async function readRights(client: Client): Promise<Rights> {
  const names = roleNames.map((role) => role);
  const id = await readDatabaseId(client);
  const { rows } = await client.query<Rights>(
    `with me as (select oid, rolsuper, rolcreaterole from pg_roles where rolname = current_user),
      schema as (select oid, nspname, nspowner from pg_namespace where nspname = 'tripe'),
      owner as (
        select nspowner as oid from schema union all select c.relowner from pg_class c join schema s on s.oid = c.relnamespace
      )
      select me.rolsuper or me.rolcreaterole as may_create_roles,
        has_database_privilege(current_database(), 'create') as may_create_schemas,
        quote_ident(current_database()) as database,
        (select quote_ident(rolname) from pg_roles r where r.oid in (select oid from owner)
          and not pg_has_role(r.oid, 'usage') limit 1) as other_owner,
        (select count(*)::int from schema) as schemas_count,
        current_setting('server_version_num')::int as version,
        array(select quote_ident(rolname) from pg_roles r where r.rolname = any($1::text[])
          and not me.rolsuper and current_setting('server_version_num')::int >= $2
          and not pg_has_role(r.oid, 'member with admin option') order by 1) as foreign_roles
      from me`,
    [names.map((role) => nameRole(role, id)), adminOptionVersion],
  );
  if (rows[0] === undefined) throw new Error("The server did not say what this role may do");
  return rows[0];
}
