import type { ListUndispatchedEventsRequest } from "../../gen/tripe/reader/v1/events_pb.ts";
import type { Query } from "../_database/connect.ts";
import { waitingAccounts } from "./waiting-accounts.ts";

/** Account by account: the first of each, then the second of each. Whose turn it is, an index tells. */
const LIST = {
  name: "list_undispatched_events",
  text: `${waitingAccounts("event", "dispatch_time is null")}
    select f.account_id, f.event_id, f.type from waiting w cross join lateral (
      select e.account_id, e.event_id, e.type, row_number() over (order by e.event_id) as place
      from event e where e.account_id = w.account_id and e.dispatch_time is null order by e.event_id limit $1
    ) f order by f.place, f.event_id limit $1`,
};

interface Row {
  readonly account_id: string;
  readonly event_id: string;
  readonly type: string;
}

/** Lists events that nobody has taken up yet, of every account, the oldest of each first. */
export async function listUndispatchedEvents(query: Query, { limit }: ListUndispatchedEventsRequest) {
  const rows = await query<Row>(LIST, [limit]);
  return { events: rows.map((row) => ({ accountId: row.account_id, eventId: row.event_id, type: row.type })) };
}
