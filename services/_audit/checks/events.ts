import { type Check, checkSql } from "../check.ts";

/** What happened and was told: one event for each end, in the commit that brought it. */
export const eventChecks: readonly Check[] = [
  checkSql(
    "events-told",
    "Every charge and return that has ended has exactly the events of its end, and none has those of another.",
    `with expected as (
        select account_id, 'charge.' || state as type, charge_id as object_id, 1 as count
          from charge where state <> 'pending'
        union all select account_id, case state when 'succeeded' then 'refund.created' else 'refund.failed' end, return_id, 1
          from charge_return where state in ('succeeded', 'failed')
        union all select account_id, 'charge.captured', charge_id, 1 from charge where is_held and captured_minor > 0
        union all select account_id, 'charge.expired', charge_id, 1 from charge c where release_time is not null
          and not exists (select from charge_return r where r.account_id = c.account_id and r.charge_id = c.charge_id
            and r.is_release and r.state = 'succeeded')
        union all select account_id, 'charge.refunded', charge_id, count(*)
          from charge_return where state = 'succeeded' group by account_id, charge_id
      ), told as (
        select account_id, type, object_id, count(*) as count from event
        where type in ('charge.succeeded', 'charge.failed', 'charge.captured', 'charge.expired', 'charge.refunded',
          'refund.created', 'refund.failed')
        group by 1, 2, 3
      )
      select account_id, type, object_id, coalesce(expected.count, 0)::int as expected_count,
        coalesce(told.count, 0)::int as told_count
      from expected full join told using (account_id, type, object_id)
      where expected.count is distinct from told.count`,
  ),
  checkSql(
    "alerts-resolved",
    "No alert waits for a person.",
    `select account_id, alert_id, reason, object_id, create_time from alert where resolve_time is null`,
  ),
];
