import type { Client } from "pg";
import { placeOfDatabase } from "../_runtime/database-url.ts";
import type { Log } from "../_runtime/log.ts";
import { refuseMissingRights } from "./check-rights.ts";
import { connectOwner } from "./connect-owner.ts";
import { explainRefusal } from "./explain-refusal.ts";
import { isPooledByTransaction } from "./find-pooler.ts";

/** The oldest Postgres that the tests run on: Debian 12's. Nothing of a newer one is used. */
const versionMin = 150_000;

/** Reader 4, writer 12, and a few for a start, the audit and tools. */
const connectionsMin = 24;

/** What a server says of itself. */
export interface Facts {
  readonly version: number;
  readonly version_name: string;
  readonly encoding: string;
  readonly is_standby: boolean;
  readonly is_durable: boolean;
  /** Connections that the server and the database leave to roles that are no superusers. */
  readonly connections_max: number;
  readonly connections_used: number;
}

/**
 * Refuses, in one sentence and before anything is altered, a server of one's own that Tripe cannot run on: one that does not
 * answer or let its user in, a pooler that shares connections, a Postgres that is too old, a standby, another encoding than
 * UTF8, too few connections, and a role without the rights that a start needs. What is only unwise goes to the log.
 */
export async function checkServer({ url, log }: { readonly url: string; readonly log: Log }): Promise<void> {
  const place = placeOfDatabase(url);
  const user = decodeURIComponent(new URL(url).username);
  try {
    if (await isPooledByTransaction(url)) {
      throw new Error(
        `the database of DATABASE_URL, ${place}, is a pooler that gives each transaction or statement another connection of Postgres, ` +
          "and Tripe's prepared statements need one of their own: set pool_mode=session for it, or give Postgres' own address",
      );
    }
    const client = await connectOwner(url, "tripe_check");
    try {
      const facts = await readFacts(client);
      refuseUnfit(facts, place);
      warnOfUnwise(facts, log);
      await refuseMissingRights(client, user);
    } finally {
      await client.end();
    }
  } catch (error) {
    const words = explainRefusal(error, place, user);
    throw words === undefined ? error : new Error(words, { cause: error });
  }
}

async function readFacts(client: Client): Promise<Facts> {
  const { rows } = await client.query<Facts>(
    `select current_setting('server_version_num')::int as version, current_setting('server_version') as version_name,
      current_setting('server_encoding') as encoding, pg_is_in_recovery() as is_standby,
      current_setting('fsync')::bool and current_setting('full_page_writes')::bool as is_durable,
      least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0), nullif(d.datconnlimit, -1)) as connections_max,
      (select count(*)::int from pg_stat_activity a where a.backend_type = 'client backend' and a.pid <> pg_backend_pid())
        as connections_used
      from pg_database d where d.datname = current_database()`,
  );
  if (rows[0] === undefined) throw new Error("The server said nothing of itself");
  return rows[0];
}

/** Refuses a server that Tripe cannot run on, in one sentence. */
export function refuseUnfit(facts: Facts, place: string): void {
  const database = `the database of DATABASE_URL, ${place},`;
  if (facts.version < versionMin) {
    throw new Error(`${database} is Postgres ${facts.version_name}, and Tripe needs ${versionMin / 10_000} or newer`);
  }
  if (facts.is_standby) {
    throw new Error(`${database} is a standby, which can only be read: give the address of its primary`);
  }
  if (facts.encoding !== "UTF8") {
    throw new Error(
      `${database} keeps texts as ${facts.encoding}, and Tripe needs UTF8: create database <name> encoding 'UTF8' template template0`,
    );
  }
  if (facts.connections_max < connectionsMin) {
    throw new Error(
      `${database} allows ${facts.connections_max} connections, and Tripe needs ${connectionsMin}: raise max_connections of the server, ` +
        "or the connection limit of the database",
    );
  }
}

function warnOfUnwise(facts: Facts, log: Log): void {
  const { connections_max: max, connections_used: used } = facts;
  if (max - used < connectionsMin) {
    log.warn("the database's server has few free connections", { max, used, needed: connectionsMin });
  }
  if (!facts.is_durable) log.warn("the database's server has fsync or full_page_writes off: a crash may lose charges");
}
