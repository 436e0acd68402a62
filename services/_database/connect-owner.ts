import type { Client } from "pg";
import { createClient } from "./connect-client.ts";

/**
 * What a connection of the owner's begins with, whatever the server, the database and the role say by default. Set by
 * statements: a pooler refuses settings that come with the connection. Migrations may take long, and are not cut off.
 */
const OWNER_SETTINGS = `
  set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0;
  set client_min_messages = warning; set default_transaction_read_only = off;
  set default_transaction_isolation = 'read committed'; set timezone = 'UTC'; set datestyle = 'ISO, MDY';
  set intervalstyle = 'postgres'; set bytea_output = 'hex'; set jit = off`;

/** Connects as the database's owner; `name` is what the connection bears in `pg_stat_activity`. The caller ends it. */
export async function connectOwner(url: string, name: string): Promise<Client> {
  const client = createClient({ url, name });
  // A connection that is lost rejects the statement that runs; this only keeps it from being thrown as well.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query(OWNER_SETTINGS);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
