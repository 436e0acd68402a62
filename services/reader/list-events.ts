import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { ListEventsRequest } from "../../gen/tripe/reader/v1/events_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type EventRow, eventColumns, eventOf } from "../_database/rows/event.ts";
import { eventTypes } from "../_runtime/event-types.ts";
import { fitPage } from "./fit-page.ts";
import { list } from "./list.ts";
import { events } from "./listings.ts";
import { nextPageToken, requireCursor } from "./page.ts";

/** As `page.ts` has it: Stripe's default. */
const SIZE_DEFAULT = 10;

/**
 * Lists events, newest first. All of them come by their key. Those of some types, or of a range of time, come from the index
 * of types, a page of each type at most: a rare type among millions costs as little as a common one. A range alone asks
 * for every type there is, so that one index serves both. Refuses as `requireCursor` does.
 */
export async function listEvents(query: Query, request: ListEventsRequest) {
  const isNarrow = request.createTimeRange !== undefined || request.isDelivered !== undefined;
  if (request.types.length === 0 && !isNarrow) {
    const { nouns, ...page } = await list(query, events, request, [], eventOf);
    return { events: nouns, ...page };
  }
  const size = request.pageSize === 0 ? SIZE_DEFAULT : request.pageSize;
  const { name, text, values } = statementOf(request, size);
  const rows = await query<EventRow>({ name, text }, values);
  if (rows.length === 0) await requireCursor(query, events, request);
  const kept = rows.slice(0, size);
  const found = request.isBackward ? kept.reverse() : kept;
  const ids = found.map((row) => row.event_id);
  const all = { nouns: found.map(eventOf), nextPageToken: nextPageToken(request, ids, rows.length > size) };
  const { nouns, ...page } = fitPage(request, all, ({ eventId }) => eventId);
  return { events: nouns, ...page };
}

function statementOf(request: ListEventsRequest, size: number) {
  const { accountId, types, createTimeRange, isDelivered, pageToken, isBackward } = request;
  const asked = types.length === 0 ? eventTypes : [...new Set(types)];
  const values: unknown[] = [accountId, size + 1, asked];
  const { startTime, endTime } = createTimeRange ?? {};
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = [
    startTime && `i.create_time >= ${parameter(timestampDate(startTime))}`,
    endTime && `i.create_time < ${parameter(timestampDate(endTime))}`,
    pageToken !== "" && cursorOf(parameter(pageToken), isBackward),
  ].filter((condition) => typeof condition === "string");
  const direction = isBackward ? "asc" : "desc";
  const delivered = isDelivered === undefined ? "" : isDelivered ? "delivered" : "undelivered";
  const flags = [startTime && "from", endTime && "until", pageToken !== "" && "after", delivered, direction];
  const text =
    isDelivered === false
      ? undeliveredOf(conditions, direction)
      : textOf(isDelivered === true ? [...conditions, IS_DELIVERED] : conditions, direction);
  return { name: `list_events_${flags.filter(Boolean).join("_")}`, text, values };
}

const IS_DELIVERED = `i.dispatch_time is not null and not exists (select from delivery d
  where d.account_id = i.account_id and d.event_id = i.event_id and (d.state = 'due' or d.state = 'dead'))`;

/** What is on its way, or has come to nothing, is little beside all that was delivered, and has indexes of its own. */
function undeliveredOf(conditions: readonly string[], direction: string): string {
  return `with undelivered as (
      select event_id from delivery where account_id = $1 and state = 'due'
      union select event_id from delivery where account_id = $1 and state = 'dead'
      union select event_id from event where account_id = $1 and dispatch_time is null
    )
    select ${eventColumns}
    from (
      select i.event_id, i.create_time from undelivered u join event i on i.event_id = u.event_id
      where ${["i.account_id = $1", "i.type = any($3::text[])", ...conditions].join(" and ")}
      order by i.create_time ${direction}, i.event_id ${direction} limit $2
    ) f
    join event e on e.account_id = $1 and e.event_id = f.event_id
    join account a on a.account_id = e.account_id
    order by f.create_time ${direction}, f.event_id ${direction}`;
}

/** The nouns are fetched for the page alone. */
function textOf(conditions: readonly string[], direction: string): string {
  const order = (alias: string) => `${alias}.create_time ${direction}, ${alias}.event_id ${direction}`;
  return `select ${eventColumns}
    from (
      select p.event_id, p.create_time from unnest($3::text[]) as y(type)
      cross join lateral (
        select i.event_id, i.create_time from event i
        where ${["i.account_id = $1", "i.type = y.type", ...conditions].join(" and ")}
        order by ${order("i")} limit $2
      ) p
      order by ${order("p")} limit $2
    ) f
    join event e on e.account_id = $1 and e.event_id = f.event_id
    join account a on a.account_id = e.account_id
    order by ${order("f")}`;
}

/** What comes after an event, in the order of the list; after one that is not there, nothing. */
function cursorOf(token: string, isBackward: boolean): string {
  const time = `(select create_time from event where account_id = $1 and event_id = ${token})`;
  return `(i.create_time, i.event_id) ${isBackward ? ">" : "<"} (${time}, ${token}::text)`;
}
