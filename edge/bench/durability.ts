import { createClient } from "../../services/_database/connect-client.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";

/** What must be so in Postgres for an acknowledged charge to be on disk. */
const required = ["fsync", "full_page_writes", "synchronous_commit"] as const;

/** Says what is wrong with the durability of a Tripe's commits, as its writer's role sees it; undefined when all is on. */
export async function findUndurable(tripe: MeasuredTripe): Promise<string | undefined> {
  const client = createClient({ url: await tripe.roleUrl("writer"), name: "tripe_bench" });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; setting: string }>(
      "select name, setting from pg_settings where name = any($1)",
      [required],
    );
    const wrong = required.filter((name) => rows.find((row) => row.name === name)?.setting !== "on");
    return wrong.length === 0 ? undefined : `not on: ${wrong.join(", ")}`;
  } finally {
    await client.end();
  }
}
