import type { Query } from "../_database/connect.ts";

const COUNT = {
  name: "count_alerts",
  text: "select reason, count(*) as count from alert where resolve_time is null group by reason order by reason",
};

/** Counts what waits for a person, of all accounts, by reason. */
export async function countAlerts(query: Query): Promise<{ counts: { reason: string; count: bigint }[] }> {
  return { counts: await query<{ reason: string; count: bigint }>(COUNT, []) };
}
