import type { Query } from "../_database/connect.ts";
import { createId } from "../_runtime/ids.ts";

const RAISE = {
  name: "raise_alert",
  text: `insert into alert (account_id, alert_id, reason, object_id, details, create_time)
    values ($1, $2, $3, $4, $5, business_now($1))`,
};

/** Calls for a person: the row stays until somebody resolves it, `/healthz` tells of it and the audit finds it. */
export async function raiseAlert(
  query: Query,
  alert: { accountId: string; reason: string; objectId: string; details: Record<string, string> },
): Promise<void> {
  await query(RAISE, [
    alert.accountId,
    createId("alert_"),
    alert.reason,
    alert.objectId,
    JSON.stringify(alert.details),
  ]);
}
