import { DatabaseError } from "pg";
import { placeOfDatabase } from "../_runtime/database-url.ts";
import { createClient, isUnavailable } from "./connect-client.ts";
import type { RoleUrls } from "./roles.ts";

/**
 * Connects once as each of Tripe's roles, as its services will. Refuses in words a server, or a pooler before it, that does
 * not know them, lets them in as somebody else, or gives them a connection from before their settings.
 */
export async function checkRoles(urls: RoleUrls): Promise<void> {
  for (const url of Object.values(urls)) {
    const name = decodeURIComponent(new URL(url).username);
    const database = `the database of DATABASE_URL, ${placeOfDatabase(url)},`;
    const found = await readStart(url, (reason) => {
      return (
        `${database} does not let Tripe's own role ${name} in (${reason}): a pooler needs an auth_query that finds its password ` +
        "in pg_shadow, and pg_hba.conf a line for it; or give Postgres' own address"
      );
    });
    if (found.user !== name) {
      throw new Error(
        `${database} connects ${name} as ${found.user}, and each service of Tripe needs its own role: take the user from the ` +
          "pooler's entry of this database, or give Postgres' own address",
      );
    }
    if (found.path !== "tripe") {
      throw new Error(
        `${database} keeps connections from before the settings of Tripe's roles: have the pooler reconnect`,
      );
    }
  }
}

async function readStart(url: string, explain: (reason: string) => string): Promise<{ user: string; path: string }> {
  const client = createClient({ url, name: "tripe_check" });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const text = "select current_user::text as user, current_setting('search_path') as path";
    const { rows } = await client.query<{ user: string; path: string }>(text);
    return rows[0] ?? { user: "", path: "" };
  } catch (error) {
    // 08P01 is all that pgbouncer says; other codes of a server that is away say nothing of the role.
    const isRefusal = error instanceof DatabaseError && (error.code === "08P01" || !isUnavailable(error));
    throw isRefusal ? new Error(explain(error.message), { cause: error }) : error;
  } finally {
    await client.end().catch(() => undefined);
  }
}
