import { Code } from "@connectrpc/connect";
import type {
  CountPendingDeliveriesRequest,
  ListEventDeliveriesRequest,
} from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import type { Query } from "../_database/connect.ts";
import { timestampOf } from "../_database/rows/fields.ts";
import { deliveryStates } from "../_database/rows/words.ts";
import { refuse } from "../_runtime/errors.ts";

/** One row at least when there is the event: endpoints are null in it when it is due to none. */
const LIST = {
  name: "list_event_deliveries",
  text: `select d.webhook_endpoint_id, w.url, d.state, d.rung, d.due_time, d.try_time, d.status, d.problem, d.create_time
    from event e
    left join (delivery d join webhook_endpoint w using (account_id, webhook_endpoint_id))
      on d.account_id = e.account_id and d.event_id = e.event_id
    where e.account_id = $1 and e.event_id = $2 order by d.create_time, d.webhook_endpoint_id`,
};

const COUNT_PENDING = {
  name: "count_pending_deliveries",
  text: `select event_id, count(*)::int as count from delivery
    where account_id = $1 and event_id = any($2::text[]) and state = 'due' group by event_id`,
};

interface DeliveryRow {
  readonly webhook_endpoint_id: string;
  readonly url: string;
  readonly state: string;
  readonly rung: number;
  readonly due_time: Date | null;
  readonly try_time: Date | null;
  readonly status: number;
  readonly problem: string;
  readonly create_time: Date;
}

/** Lists how far an event has come to each endpoint. Refuses with NOT_FOUND, reason EVENT_NOT_FOUND, what is not there. */
export async function listEventDeliveries(query: Query, { accountId, eventId }: ListEventDeliveriesRequest) {
  const rows = await query<DeliveryRow | { webhook_endpoint_id: null }>(LIST, [accountId, eventId]);
  if (rows.length === 0) refuse(Code.NotFound, "EVENT_NOT_FOUND", `no event ${eventId}`, "event_id");
  const there = rows.filter((row): row is DeliveryRow => row.webhook_endpoint_id !== null);
  return { deliveries: there.map(deliveryOf) };
}

/** Counts the deliveries of each event that are due, by the deliveries' own key. */
export async function countPendingDeliveries(query: Query, { accountId, eventIds }: CountPendingDeliveriesRequest) {
  const rows = await query<{ event_id: string; count: number }>(COUNT_PENDING, [accountId, eventIds]);
  return { counts: Object.fromEntries(rows.map((row) => [row.event_id, row.count])) };
}

function deliveryOf(row: DeliveryRow) {
  const [dueTime, tryTime] = [timestampOf(row.due_time), timestampOf(row.try_time)];
  return {
    webhookEndpointId: row.webhook_endpoint_id,
    url: row.url,
    state: deliveryStates.of(row.state),
    failedCount: row.rung,
    ...(dueTime && { dueTime }),
    ...(tryTime && { tryTime }),
    status: row.status,
    problem: row.problem,
    createTime: timestampOf(row.create_time),
  };
}
