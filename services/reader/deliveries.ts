import { Code } from "@connectrpc/connect";
import DataLoader from "dataloader";
import type {
  CountPendingDeliveriesRequest,
  GetDeliveryRequest,
  ListUnqueuedDeliveriesRequest,
} from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type EventRow, eventColumns, eventOf } from "../_database/rows/event.ts";
import { timestampOf } from "../_database/rows/fields.ts";
import { refuse } from "../_runtime/errors.ts";
import { waitingAccounts } from "./waiting-accounts.ts";

/**
 * The secrets come newest first; one that has expired signs nothing. What is there is read whole even when it is over. Each
 * delivery and event is looked up by its whole key (offset 0 says so): a plan made while the tables were small goes through
 * all of an account's.
 */
const GET = {
  name: "get_delivery",
  text: `select d.account_id, d.webhook_endpoint_id, case when d.state = 'due' then d.turn else 0 end as turn, d.rung,
      d.due_time, d.body, w.url, w.api_version, w.disable_time is null and w.delete_time is null as is_enabled, ${eventColumns},
      array(select s.sealed_secret from webhook_secret s
        where s.account_id = w.account_id and s.webhook_endpoint_id = w.webhook_endpoint_id and s.sealed_secret is not null
          and (s.expire_time is null or s.expire_time > statement_timestamp())
        order by s.expire_time desc nulls first limit 4) as sealed_secrets,
      (select count(*)::int from delivery p
        where p.account_id = d.account_id and p.event_id = d.event_id and p.state = 'due') as pending_count
    from unnest($1::text[], $2::text[], $3::text[]) as i(account_id, event_id, webhook_endpoint_id)
    cross join lateral (select * from delivery where account_id = i.account_id and event_id = i.event_id
      and webhook_endpoint_id = i.webhook_endpoint_id offset 0) d
    cross join lateral (select * from event where account_id = i.account_id and event_id = i.event_id offset 0) e
    join account a on a.account_id = d.account_id
    join webhook_endpoint w on w.account_id = d.account_id and w.webhook_endpoint_id = d.webhook_endpoint_id`,
};

/** Account by account: the first of each, then the second of each. Whose turn it is, an index tells. */
const LIST_UNQUEUED = {
  name: "list_unqueued_deliveries",
  text: `${waitingAccounts("delivery", "state = 'due' and queue_time is null")}
    select f.account_id, f.event_id, f.webhook_endpoint_id, f.turn
    from waiting w cross join lateral (
      select d.account_id, d.event_id, d.webhook_endpoint_id, d.turn, d.due_time, row_number() over (order by d.due_time) as place
      from delivery d where d.account_id = w.account_id and d.state = 'due' and d.queue_time is null
        and d.due_time <= statement_timestamp()
      order by d.due_time limit $1
    ) f order by f.place, f.due_time limit $1`,
};

/**
 * What the queue has lost, or has been long about: a try takes 15 s. Asked for once a minute, it goes through what is due;
 * there is no index of these times, which each queueing would have to write.
 */
const LIST_LOST = {
  name: "list_lost_deliveries",
  text: `select account_id, event_id, webhook_endpoint_id, turn from delivery
    where state = 'due' and queue_time <= statement_timestamp() - interval '15 minutes' limit $1`,
};

const COUNT_PENDING = {
  name: "count_pending_deliveries",
  text: `select event_id, count(*)::int as count from delivery
    where account_id = $1 and event_id = any($2::text[]) and state = 'due' group by event_id`,
};

/** Of the dead those that a redrive takes (REDRIVE of the writer): the others' endpoints hear of nothing. */
const COUNT = {
  name: "count_deliveries",
  text: `select count(*) filter (where d.state = 'due') as due_count, count(*) filter (where d.state = 'dead') as dead_count,
      min(d.due_time) filter (where d.due_time <= statement_timestamp()) as oldest_due_time
    from delivery d join webhook_endpoint w on w.account_id = d.account_id and w.webhook_endpoint_id = d.webhook_endpoint_id
    where d.state = 'due' or (d.state = 'dead' and w.disable_time is null and w.delete_time is null)`,
};

interface DeliveryRow extends EventRow {
  readonly account_id: string;
  readonly webhook_endpoint_id: string;
  readonly turn: number;
  readonly rung: number;
  readonly due_time: Date | null;
  readonly body: Buffer | null;
  readonly url: string;
  readonly api_version: string;
  readonly is_enabled: boolean;
  readonly sealed_secrets: Buffer[];
  readonly pending_count: number;
}

interface UnqueuedRow {
  readonly account_id: string;
  readonly event_id: string;
  readonly webhook_endpoint_id: string;
  readonly turn: number;
}

/** As many as share a statement: each brings an event of some kilobytes. */
const BATCH_MAX = 64;

/**
 * Creates a reader of deliveries: all that is asked in one tick is one statement. Refuses with NOT_FOUND, reason
 * DELIVERY_NOT_FOUND, what is not there.
 */
export function createGetDelivery(query: Query) {
  const load = async (keys: readonly GetDeliveryRequest[]) => {
    const rows = await query<DeliveryRow>(GET, [
      keys.map(({ accountId }) => accountId),
      keys.map(({ eventId }) => eventId),
      keys.map(({ webhookEndpointId }) => webhookEndpointId),
    ]);
    const found = new Map(rows.map((row) => [nameOf(row.account_id, row.event_id, row.webhook_endpoint_id), row]));
    return keys.map((key) => found.get(nameOf(key.accountId, key.eventId, key.webhookEndpointId)));
  };
  const loader = new DataLoader(load, { cache: false, maxBatchSize: BATCH_MAX });
  return async (request: GetDeliveryRequest) => {
    const row = await loader.load(request);
    if (row === undefined) {
      refuse(Code.NotFound, "DELIVERY_NOT_FOUND", `no delivery of ${request.eventId}`, "event_id");
    }
    const dueTime = timestampOf(row.due_time);
    return {
      turn: row.turn,
      rung: row.rung,
      ...(dueTime && { dueTime }),
      isEnabled: row.is_enabled,
      url: row.url,
      apiVersion: row.api_version,
      sealedSecrets: row.sealed_secrets,
      pendingCount: row.pending_count,
      ...(row.body === null ? { event: eventOf(row) } : { body: row.body }),
    };
  };
}

/** Lists deliveries that are due now and not in the queue, the longest due first; or those that the queue has lost. */
export async function listUnqueuedDeliveries(query: Query, { limit, isLost }: ListUnqueuedDeliveriesRequest) {
  const rows = await query<UnqueuedRow>(isLost ? LIST_LOST : LIST_UNQUEUED, [limit]);
  const deliveries = rows.map((row) => ({
    accountId: row.account_id,
    eventId: row.event_id,
    webhookEndpointId: row.webhook_endpoint_id,
    turn: row.turn,
  }));
  return { deliveries };
}

/** Counts the deliveries of each event that are due, by the deliveries' own key. */
export async function countPendingDeliveries(query: Query, { accountId, eventIds }: CountPendingDeliveriesRequest) {
  const rows = await query<{ event_id: string; count: number }>(COUNT_PENDING, [accountId, eventIds]);
  return { counts: Object.fromEntries(rows.map((row) => [row.event_id, row.count])) };
}

/** Counts what is due and dead, of all accounts, by the indexes of both. */
export async function countDeliveries(query: Query) {
  interface Row {
    readonly due_count: bigint;
    readonly dead_count: bigint;
    readonly oldest_due_time: Date | null;
  }
  const [row] = await query<Row>(COUNT, []);
  const oldestDueTime = timestampOf(row?.oldest_due_time ?? null);
  return {
    dueCount: row?.due_count ?? 0n,
    deadCount: row?.dead_count ?? 0n,
    ...(oldestDueTime && { oldestDueTime }),
  };
}

function nameOf(...ids: readonly string[]): string {
  return ids.join(" ");
}
