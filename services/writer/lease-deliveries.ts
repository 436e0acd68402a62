import type { Event } from "../../gen/tripe/billing/v1/event_pb.ts";
import type { LeaseDeliveriesRequest } from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import { type EventRow, eventOf } from "../_database/rows/event.ts";
import { OBJECT_MESSAGE_MAX_BYTES } from "../_runtime/limits.ts";
import type { WriterDependencies } from "./answers.ts";

/** A post takes 15 s at most, and what it came to is recorded within 31: a worker that takes longer has died. */
const LEASE_SECONDS = 60;

/** The contents of a set come to no more, unless one alone does: events are some kilobytes, invoices up to megabytes. */
const SET_MAX_BYTES = 1_048_576;

/** What is larger fits into no message beside the rest of its delivery. */
const CONTENT_MAX_BYTES = OBJECT_MESSAGE_MAX_BYTES - 65_536;

/**
 * `next` steps through the endpoints that have something due, now or later: some 10 µs for each, however many rows it has. Of
 * each the longest due, as far as its caller has room for it; then the first of each account, the second of each, and so on.
 * Rows are locked when they are chosen, so that two callers share what is due and do not wait for each other.
 */
const CHOOSE = `with recursive load as (
      select * from unnest($4::text[], $5::text[], $6::int[]) as l(account_id, webhook_endpoint_id, count)
    ), account_load as (
      select account_id, sum(count) as count from load group by account_id
    ), next as (
      (select account_id, webhook_endpoint_id from delivery where state = 'due'
        order by account_id, webhook_endpoint_id limit 1)
      union all
      select d.account_id, d.webhook_endpoint_id from next n cross join lateral (
        select account_id, webhook_endpoint_id from delivery
        where state = 'due' and (account_id, webhook_endpoint_id) > (n.account_id, n.webhook_endpoint_id)
        order by account_id, webhook_endpoint_id limit 1
      ) d
    ), listed as (
      select f.account_id, f.event_id, f.webhook_endpoint_id, f.due_time, $3 - coalesce(a.count, 0) as account_room,
        row_number() over (partition by f.account_id order by f.place, f.due_time, f.event_id) as place
      from next n left join load l using (account_id, webhook_endpoint_id) left join account_load a using (account_id)
      cross join lateral (
        select d.account_id, d.event_id, d.webhook_endpoint_id, d.due_time,
          row_number() over (order by d.due_time, d.event_id) as place
        from delivery d where d.account_id = n.account_id and d.webhook_endpoint_id = n.webhook_endpoint_id
          and d.state = 'due' and d.due_time <= statement_timestamp()
        order by d.due_time, d.event_id limit greatest(0, least($1, $2 - coalesce(l.count, 0)))
      ) f
    ), sized as (
      select s.*, sum(s.bytes) over (order by s.place, s.due_time, s.event_id, s.webhook_endpoint_id) as total_bytes
      from (
        select l.account_id, l.event_id, l.webhook_endpoint_id, l.place, l.due_time,
          coalesce(octet_length(d.body), octet_length(e.snapshot) + coalesce(octet_length(e.previous), 0)) as bytes
        from listed l
        join delivery d on d.account_id = l.account_id and d.event_id = l.event_id
          and d.webhook_endpoint_id = l.webhook_endpoint_id
        join event e on e.account_id = l.account_id and e.event_id = l.event_id
        where l.place <= l.account_room order by l.place, l.due_time, l.event_id limit $1
      ) s
    )`;

/** The secrets come newest first; one that has expired signs nothing. An event whose first body is kept is not read. */
const LEASE = {
  name: "lease_deliveries",
  text: `${CHOOSE}, chosen as (
      select d.account_id, d.event_id, d.webhook_endpoint_id, s.bytes from sized s
      join delivery d on d.account_id = s.account_id and d.event_id = s.event_id
        and d.webhook_endpoint_id = s.webhook_endpoint_id
      where (s.total_bytes <= ${SET_MAX_BYTES} or s.total_bytes = s.bytes)
        and d.state = 'due' and d.due_time <= statement_timestamp()
      order by s.place, s.due_time for no key update of d skip locked
    ), leased as (
      update delivery d set turn = d.turn + 1, lease_count = d.lease_count + 1,
        due_time = statement_timestamp() + interval '${LEASE_SECONDS} s'
      from chosen c where d.account_id = c.account_id and d.event_id = c.event_id
        and d.webhook_endpoint_id = c.webhook_endpoint_id
      returning d.*, c.bytes <= ${CONTENT_MAX_BYTES} as is_sendable
    )
    select l.account_id, l.webhook_endpoint_id, l.turn, l.rung, l.lease_count, w.url, w.api_version,
      case when l.is_sendable then l.body end as body, l.body is null and l.is_sendable as has_event,
      w.disable_time is null and w.delete_time is null as is_enabled, e.*, a.is_live,
      array(select s.sealed_secret from webhook_secret s
        where s.account_id = w.account_id and s.webhook_endpoint_id = w.webhook_endpoint_id and s.sealed_secret is not null
          and (s.expire_time is null or s.expire_time > statement_timestamp())
        order by s.expire_time desc nulls first limit 4) as sealed_secrets,
      (select count(*)::int from delivery p
        where p.account_id = l.account_id and p.event_id = l.event_id and p.state = 'due') as pending_count,
      (select count(*) from listed where place <= account_room) > (select count(*) from chosen) as has_more
    from leased l
    join account a on a.account_id = l.account_id
    join webhook_endpoint w on w.account_id = l.account_id and w.webhook_endpoint_id = l.webhook_endpoint_id
    cross join lateral (
      select event_id, type, case when l.body is null and l.is_sendable then snapshot end as snapshot,
        case when l.body is null and l.is_sendable then previous end as previous, public_request_id, idempotency_key, create_time
      from event where account_id = l.account_id and event_id = l.event_id offset 0
    ) e
    order by l.create_time, l.event_id`,
};

interface LeasedRow extends EventRow {
  readonly account_id: string;
  readonly webhook_endpoint_id: string;
  readonly turn: number;
  readonly rung: number;
  readonly lease_count: number;
  readonly url: string;
  readonly api_version: string;
  readonly body: Buffer | null;
  readonly has_event: boolean;
  readonly is_enabled: boolean;
  readonly sealed_secrets: Buffer[];
  readonly pending_count: number;
  readonly has_more: boolean;
}

/** Takes up deliveries that are due, each with all that one try needs. A lease begins a turn, which fences off the one before. */
export async function leaseDeliveries({ database }: WriterDependencies, request: LeaseDeliveriesRequest) {
  const { limit, endpointMax, accountMax, loads } = request;
  const values = [
    limit,
    endpointMax,
    accountMax,
    loads.map(({ accountId }) => accountId),
    loads.map(({ webhookEndpointId }) => webhookEndpointId),
    loads.map(({ count }) => count),
  ];
  // On a connection of its own: a set must not stand before the charges on those that statements share.
  const rows = await database.transaction((query) => query<LeasedRow>(LEASE, values));
  return { deliveries: rows.map(deliveryOf), hasMore: rows[0]?.has_more ?? false };
}

function deliveryOf(row: LeasedRow) {
  const event = row.has_event ? readEvent(row) : undefined;
  return {
    delivery: {
      accountId: row.account_id,
      eventId: row.event_id,
      webhookEndpointId: row.webhook_endpoint_id,
      turn: row.turn,
    },
    failedCount: row.rung,
    leaseCount: row.lease_count,
    isEnabled: row.is_enabled,
    url: row.url,
    apiVersion: row.api_version,
    sealedSecrets: row.sealed_secrets,
    pendingCount: row.pending_count,
    ...(row.body !== null && { body: row.body }),
    ...(event && { event }),
  };
}

/** One event that cannot be read is its own trouble: the others of the set are delivered. */
function readEvent(row: EventRow): Event | undefined {
  try {
    return eventOf(row);
  } catch {
    return undefined;
  }
}
