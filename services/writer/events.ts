import type { MarkEventsDispatchedRequest } from "../../gen/tripe/writer/v1/events_pb.ts";
import type { WriterDependencies } from "./answers.ts";

const MARK = {
  name: "mark_events_dispatched",
  text: `with marked as (
      update event e set dispatch_time = statement_timestamp()
      from unnest($1::text[], $2::text[]) as i(account_id, event_id)
      where e.account_id = i.account_id and e.event_id = i.event_id and e.dispatch_time is null
      returning e.account_id, e.event_id, e.type, e.write_time
    ), delivering as (
      insert into delivery (account_id, event_id, webhook_endpoint_id, state, turn, rung, due_time, create_time)
      select m.account_id, m.event_id, w.webhook_endpoint_id, 'due', 1, 0, statement_timestamp(), statement_timestamp()
      from marked m join webhook_endpoint w on w.account_id = m.account_id
        and w.disable_time is null and w.delete_time is null and w.event_types && array['*', m.type]
        and m.write_time >= w.make_time
      on conflict do nothing
    )
    select event_id from marked`,
};

/**
 * Records that events were taken up: they are on their way by something that does not forget them. To each endpoint that
 * hears of one a delivery is due, in the same commit; not to one made after the event was written.
 */
export async function markEventsDispatched({ database }: WriterDependencies, { events }: MarkEventsDispatchedRequest) {
  const rows = await database.query(MARK, [
    events.map(({ accountId }) => accountId),
    events.map(({ eventId }) => eventId),
  ]);
  return { markedCount: rows.length };
}
