import type { MarkEventsDispatchedRequest } from "../../gen/tripe/writer/v1/events_pb.ts";
import type { WriterDependencies } from "./answers.ts";

const MARK = {
  name: "mark_events_dispatched",
  text: `update event e set dispatch_time = statement_timestamp()
    from unnest($1::text[], $2::text[]) as i(account_id, event_id)
    where e.account_id = i.account_id and e.event_id = i.event_id and e.dispatch_time is null
    returning e.event_id`,
};

/** Records that events were taken up: they are on their way by something that does not forget them. */
export async function markEventsDispatched({ database }: WriterDependencies, { events }: MarkEventsDispatchedRequest) {
  const rows = await database.query(MARK, [
    events.map(({ accountId }) => accountId),
    events.map(({ eventId }) => eventId),
  ]);
  return { markedCount: rows.length };
}
