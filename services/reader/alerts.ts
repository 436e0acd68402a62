import type { ListAlertsRequest } from "../../gen/tripe/reader/v1/alerts_pb.ts";
import type { Query } from "../_database/connect.ts";
import { timestampOf } from "../_database/rows/fields.ts";

const COUNT = {
  name: "count_alerts",
  text: "select reason, count(*) as count from alert where resolve_time is null group by reason order by reason",
};

/** Counts what waits for a person, of all accounts, by reason. */
export async function countAlerts(query: Query): Promise<{ counts: { reason: string; count: bigint }[] }> {
  return { counts: await query<{ reason: string; count: bigint }>(COUNT, []) };
}

const LIST = {
  name: "list_alerts",
  text: `select account_id, alert_id, reason, object_id, create_time, resolve_time from alert
    order by resolve_time desc nulls first, create_time desc limit $1`,
};

interface AlertRow {
  readonly account_id: string;
  readonly alert_id: string;
  readonly reason: string;
  readonly object_id: string;
  readonly create_time: Date;
  readonly resolve_time: Date | null;
}

/** Lists alerts of all accounts: open ones first, of each kind the newest first. */
export async function listAlerts(query: Query, { limit }: ListAlertsRequest) {
  const rows = await query<AlertRow>(LIST, [limit]);
  return {
    alerts: rows.map((row) => ({
      accountId: row.account_id,
      alertId: row.alert_id,
      reason: row.reason,
      objectId: row.object_id,
      createTime: timestampOf(row.create_time),
      ...(row.resolve_time !== null && { resolveTime: timestampOf(row.resolve_time) }),
    })),
  };
}
