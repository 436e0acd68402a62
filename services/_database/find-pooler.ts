import { type Client, DatabaseError } from "pg";
import { connectOwner } from "./connect-owner.ts";

/**
 * Says whether statements of one connection may run on several of Postgres' own: a pooler in transaction or statement mode is
 * between. Prepared statements, a role's settings and the locks of a start live in one connection of Postgres, and would be
 * missed or met by others. Looked for with three connections: one asks for its process before and while the others hold
 * transactions. Which process a pooler gives next is its own choice, so that each holder is compared too.
 */
export async function isPooledByTransaction(url: string): Promise<boolean> {
  const clients: Client[] = [];
  const connect = async () => {
    const client = await connectOwner(url, "tripe_pooler");
    clients.push(client);
    return client;
  };
  try {
    const asker = await connect();
    const first = await readProcess(asker);
    for (const holder of [await connect(), await connect()]) {
      await holder.query("begin");
      if ((await readProcess(holder)) === first || (await readProcess(asker)) !== first) return true;
    }
    return false;
  } catch (error) {
    // pgbouncer's words in statement mode.
    if (error instanceof DatabaseError && /statement pooling/.test(error.message)) return true;
    throw error;
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
}

async function readProcess(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return rows[0]?.pid ?? 0;
}
