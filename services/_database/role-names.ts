import type { Client } from "pg";

/** Who connects to the database, besides the owner, who runs migrations and nothing else. */
export const roleNames = ["reader", "writer", "audit"] as const;

/** One of Tripe's database roles. */
export type RoleName = (typeof roleNames)[number];

/** Every name that a role of Tripe has, or had when names belonged to the server or the scheduler had a queue: for Postgres' `~`. */
export const rolePattern = "^tripe_(reader|writer|audit|scheduler)(_[0-9]+)?$";

/**
 * Names a role in Postgres: `tripe_reader_16384`. Roles belong to the server, so the name bears the number (oid) of the
 * database: it survives a rename, and a copy made with `createdb -T` has another one, hence roles of its own.
 */
export function nameRole(role: RoleName, databaseId: string): string {
  return `tripe_${role}_${databaseId}`;
}

/** Says whether a user's name in Postgres is this role's, in whichever database. */
export function isRole(user: string, role: RoleName): boolean {
  return new RegExp(`^tripe_${role}_[0-9]+$`).test(user);
}

/** Reads the number of the database that a client is connected to. */
export async function readDatabaseId(client: Client): Promise<string> {
  const text = "select oid::text as id from pg_database where datname = current_database()";
  const { rows } = await client.query<{ id: string }>(text);
  if (rows[0] === undefined) throw new Error("The database did not say its number");
  return rows[0].id;
}
