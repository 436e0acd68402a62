import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ListAlertsRequest } from "../../gen/tripe/reader/v1/alerts_pb.ts";
import type { Query } from "../_database/connect.ts";
import { timestampOf } from "../_database/rows/fields.ts";
import { timeOfId } from "../_runtime/ids.ts";
import { waitingAccounts } from "./waiting-accounts.ts";

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

// An event may bear the time of a test clock; its id bears the machine's.
const OLDEST_EVENT = {
  name: "oldest_event",
  text: `${waitingAccounts("event", "dispatch_time is null")}
    select (select e.event_id from event e where e.account_id = w.account_id and e.dispatch_time is null
      order by e.event_id limit 1) as event_id
    from waiting w`,
};

const OLDEST_DELIVERY = {
  name: "oldest_delivery",
  text: `${waitingAccounts("delivery", "state = 'due' and queue_time is null")}
    select min(due_time) as due_time from (
      select (select d.due_time from delivery d where d.account_id = w.account_id and d.state = 'due'
        and d.queue_time is null order by d.due_time limit 1) as due_time
      from waiting w
    ) oldest where due_time <= statement_timestamp()`,
};

const OLDEST_SENDING = {
  name: "oldest_sending",
  text: "select due_time from sending where due_time <= statement_timestamp() order by due_time limit 1",
};

/** Finds since when the oldest item of each queue is due: a few steps in indexes, however many wait. */
export async function getOldestDue(query: Query) {
  const [events, [delivery], [sending]] = await Promise.all([
    query<{ event_id: string }>(OLDEST_EVENT, []),
    query<{ due_time: Date | null }>(OLDEST_DELIVERY, []),
    query<{ due_time: Date }>(OLDEST_SENDING, []),
  ]);
  const eventMs = Math.min(...events.map(({ event_id }) => timeOfId(event_id)));
  return {
    ...(Number.isFinite(eventMs) && { eventTime: timestampFromMs(eventMs) }),
    ...(delivery?.due_time && { deliveryTime: timestampOf(delivery.due_time) }),
    ...(sending && { sendingTime: timestampOf(sending.due_time) }),
  };
}
