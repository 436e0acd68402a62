import { Code } from "@connectrpc/connect";
import type { ResolveAlertRequest } from "../../gen/tripe/writer/v1/alerts_pb.ts";
import type { ResolveAlertsRequest } from "../../gen/tripe/writer/v1/attempts_pb.ts";
import type { Query } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import type { WriterDependencies } from "./answers.ts";

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

const HAS_OPEN = {
  name: "has_open_alert",
  text: "select 1 from alert where account_id = $1 and object_id = $2 and reason = $3 and resolve_time is null",
};

/** Raises an alert, unless one of its reason about its object is open. */
export async function raiseAlertOnce(query: Query, alert: Parameters<typeof raiseAlert>[1]): Promise<void> {
  const open = await query(HAS_OPEN, [alert.accountId, alert.objectId, alert.reason]);
  if (open.length === 0) await raiseAlert(query, alert);
}

/** Closes the alerts of one reason about one object. */
export const RESOLVE = {
  name: "resolve_alerts",
  text: `update alert set resolve_time = business_now($1)
    where account_id = $1 and object_id = $2 and reason = $3 and resolve_time is null
    returning alert_id`,
};

/** Closes the alerts of one reason about one object: somebody has seen to it. */
export async function resolveAlerts({ database }: WriterDependencies, request: ResolveAlertsRequest) {
  const { accountId, objectId, reason } = request;
  return { resolvedCount: (await database.query(RESOLVE, [accountId, objectId, reason])).length };
}

const RESOLVE_ONE = {
  name: "resolve_alert",
  text: `with old as (
      select account_id, alert_id, resolve_time from alert where account_id = $1 and alert_id = $2 for update
    )
    update alert a set resolve_time = coalesce(old.resolve_time, business_now($1)) from old
    where a.account_id = old.account_id and a.alert_id = old.alert_id
    returning old.resolve_time is null as was_open`,
};

/** Closes one alert, which a person has dealt with. */
export async function resolveAlert({ database }: WriterDependencies, request: ResolveAlertRequest) {
  const { accountId, alertId } = request;
  const [row] = await database.query<{ was_open: boolean }>(RESOLVE_ONE, [accountId, alertId]);
  if (row === undefined) refuse(Code.NotFound, "ALERT_NOT_FOUND", "there is no such alert", "alert_id");
  return { wasOpen: row.was_open };
}
