import type { ListUndispatchedEventsRequest } from "../../gen/tripe/reader/v1/events_pb.ts";
import type { Query } from "../_database/connect.ts";

const LIST = {
  name: "list_undispatched_events",
  text: "select account_id, event_id, type from event where dispatch_time is null order by event_id limit $1",
};

interface Row {
  readonly account_id: string;
  readonly event_id: string;
  readonly type: string;
}

/** Lists events that nobody has taken up yet, of every account, oldest first. */
export async function listUndispatchedEvents(query: Query, { limit }: ListUndispatchedEventsRequest) {
  const rows = await query<Row>(LIST, [limit]);
  return { events: rows.map((row) => ({ accountId: row.account_id, eventId: row.event_id, type: row.type })) };
}
