import type { DispatchEventsRequest } from "../../gen/tripe/writer/v1/events_pb.ts";
import { waitingAccounts } from "../_database/waiting-accounts.ts";
import type { WriterDependencies } from "./answers.ts";
import { checkDeclines } from "./misuse-alerts.ts";

/**
 * Takes the first of each account, then the second of each: which account follows, an index knows. A return's mail is decided by
 * its event once more when it is sent: one that was pending in the event, or had succeeded before it, has none.
 */
const DISPATCH = {
  name: "dispatch_events",
  text: `${waitingAccounts("event", "dispatch_time is null")}, listed as (
      select f.account_id, f.event_id, f.place from waiting w cross join lateral (
        select e.account_id, e.event_id, row_number() over (order by e.event_id) as place
        from event e where e.account_id = w.account_id and e.dispatch_time is null order by e.event_id limit $1
      ) f order by f.place, f.event_id limit $1
    ), chosen as (
      select e.account_id, e.event_id from listed l join event e on e.account_id = l.account_id and e.event_id = l.event_id
      where e.dispatch_time is null order by l.place, l.event_id for no key update of e skip locked
    ), marked as (
      update event e set dispatch_time = statement_timestamp() from chosen c
      where e.account_id = c.account_id and e.event_id = c.event_id
      returning e.account_id, e.event_id, e.type, e.object_id, e.write_time
    ), delivering as (
      insert into delivery (account_id, event_id, webhook_endpoint_id, state, turn, rung, due_time, create_time)
      select m.account_id, m.event_id, w.webhook_endpoint_id, 'due', 1, 0, statement_timestamp(), statement_timestamp()
      from marked m join webhook_endpoint w on w.account_id = m.account_id
        and w.disable_time is null and w.delete_time is null and w.event_types && array['*', m.type]
        and m.write_time >= w.make_time
      on conflict do nothing returning 1
    ), mailing as (
      insert into mail (account_id, mail_id, kind, object_id, state, tries, due_time, create_time)
      select m.account_id, m.event_id, x.kind, m.event_id, 'due', 0, statement_timestamp(), statement_timestamp()
      from marked m cross join lateral (
        select 'receipt' as kind from charge c
        where c.account_id = m.account_id and c.charge_id = m.object_id and c.receipt_email <> ''
          and (m.type = 'charge.captured' or m.type = 'charge.succeeded' and not c.is_held)
        union all
        select 'return_notice' from charge_return r join charge c on c.account_id = r.account_id and c.charge_id = r.charge_id
        where m.type in ('refund.created', 'refund.updated') and r.account_id = m.account_id and r.return_id = m.object_id
          and r.state = 'succeeded' and not r.is_release and c.receipt_email <> ''
      ) x on conflict do nothing returning 1
    )
    select (select count(*)::int from marked) as taken_count, (select count(*)::int from delivering) as delivery_count,
      (select count(*)::int from mailing) as mail_count,
      array(select distinct account_id from marked where type = 'charge.failed') as failed_account_ids`,
};

interface Dispatched {
  readonly taken_count: number;
  readonly delivery_count: number;
  readonly mail_count: number;
  readonly failed_account_ids: string[];
}

/**
 * Takes up events that wait, in one commit: to each endpoint that hears of one a delivery is due, not to one made after the
 * event was written; and the mail that it causes. Then looks at the accounts whose charges failed: were that to fail, the
 * events would be dispatched all the same.
 */
export async function dispatchEvents(dependencies: WriterDependencies, { limit }: DispatchEventsRequest) {
  // On a connection of its own: a set of hundreds must not stand before the charges on those that statements share.
  const [row] = await dependencies.database.transaction((query) => query<Dispatched>(DISPATCH, [limit]));
  for (const accountId of row?.failed_account_ids ?? []) await checkDeclines(dependencies, accountId);
  return {
    takenCount: row?.taken_count ?? 0,
    deliveryCount: row?.delivery_count ?? 0,
    mailCount: row?.mail_count ?? 0,
  };
}
