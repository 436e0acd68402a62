/**
 * What is told of a return that has ended, as rows of a `values` list: event_id, type, object_id, snapshot, previous; from a row
 * `e` of a settlement. A return whose end is known in time is created as it is then, as Stripe's card refunds are; one that
 * was told of as pending (tell-pending.ts) is updated, under both of Stripe's names for it. Then what the end is.
 */
export const saidOfReturn = `(e.return_event_id, case when e.tell_time is null then 'refund.created' else 'refund.updated' end,
          e.return_id, e.snapshot, case when e.tell_time is not null then e.previous end),
        (e.status_event_id, case when e.tell_time is not null then 'charge.refund.updated' end, e.return_id, e.snapshot,
          e.previous),
        (e.end_event_id, case e.state when 'succeeded' then 'charge.refunded' else 'refund.failed' end,
          case e.state when 'succeeded' then e.charge_id else e.return_id end,
          case e.state when 'succeeded' then e.charge_snapshot else e.snapshot end, null::bytea)`;
