import Type from "typebox";
import type { Event } from "../../../gen/tripe/billing/v1/event_pb.ts";
import { eventTypes, matchEventTypes } from "../../../services/_runtime/event-types.ts";
import { eventView } from "../../../services/_views/event.ts";
import { listView } from "../../../services/_views/list.ts";
import { created, expand, formed, group, list, optional, paging } from "../../decode/fields.ts";
import { mentions } from "../../mentions.ts";
import { cursorMention, pageRequestOf } from "../../paging.ts";
import { parametersExclusive } from "../../parameter-problems.ts";
import { found } from "../../reads.ts";
import { defineRoute, type PublicRequest } from "../../route.ts";

// Stripe's names have dots and lower case. A type that Tripe never tells of is no error: it lists nothing.
const word = formed(64, "^(\\*|[a-z0-9_]+(\\.[a-z0-9_]+)*(\\.\\*)?)$", 'a type of event, such as "charge.*"');

// Stripe's bound (docs.stripe.com/api/events/list).
const TYPES_MAX = 20;

const retrieveRoute = defineRoute({
  method: "GET",
  path: "/v1/events/:id",
  operationId: "retrieveEvent",
  answers: "Event",
  summary: "Retrieve an event, however old.",
  params: group({ expand }),
  expandable: [],
  mentions: (given) => ({ event: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients, id: eventId } = request;
    const [{ event }, pending] = await Promise.all([
      clients.reader.getEvent({ accountId, eventId }),
      countPending(request, [eventId]),
    ]);
    return { body: showEvent(request, found(event), pending) };
  },
});

const listRoute = defineRoute({
  method: "GET",
  path: "/v1/events",
  operationId: "listEvents",
  answers: "Event",
  summary:
    'List events, newest first and however old: all, or those of a type, of some types or of a group ("charge.*").',
  params: group({
    type: optional(word),
    types: optional(list(word, TYPES_MAX)),
    delivery_success: optional(Type.Boolean()),
    created,
    ...paging,
  }),
  expandable: [],
  isList: true,
  mentions: (_, given) => mentions({ event: cursorMention(given) }),
  async run(request, given) {
    const { accountId, clients } = request;
    const page = await listOf(given.type, given.types, (types) =>
      clients.reader.listEvents({ accountId, types, ...pageRequestOf(given), ...deliveredOf(given) }),
    );
    const pending = await countPending(
      request,
      page.events.map(({ eventId }) => eventId),
    );
    const data = page.events.map((event) => showEvent(request, event, pending));
    return { body: listView({ url: "/v1/events", data, hasMore: page.nextPageToken !== "" }) };
  },
});

function deliveredOf({ delivery_success: isDelivered }: { readonly delivery_success?: boolean }) {
  return isDelivered === undefined ? {} : { isDelivered };
}

interface Page {
  readonly events: readonly Event[];
  readonly nextPageToken: string;
}

/** Lists the types that the words mean: all types are no filter, and no type is no event. */
async function listOf(
  type: string | undefined,
  types: readonly string[] | undefined,
  read: (types: string[]) => Promise<Page>,
): Promise<Page> {
  if (type !== undefined && types !== undefined) throw parametersExclusive("type", "types");
  const words = type === undefined ? types : [type];
  const meant = matchEventTypes(words ?? ["*"]);
  if (meant.length === 0) return { events: [], nextPageToken: "" };
  return read(meant.length === eventTypes.length ? [] : meant);
}

/** How many endpoints have not taken each of these events yet. */
async function countPending(
  { accountId, clients }: PublicRequest,
  eventIds: string[],
): Promise<Readonly<Record<string, number>>> {
  if (eventIds.length === 0) return {};
  return (await clients.reader.countPendingDeliveries({ accountId, eventIds })).counts;
}

/** Shows an event, with how many endpoints have not taken it, by id, and where the PDF of its invoice is. */
export function showEvent(request: PublicRequest, event: Event, pending: Readonly<Record<string, number>>) {
  const noun = event.snapshot?.noun;
  const invoicePdfUrl = noun?.case === "invoice" ? request.invoicePdfUrl(noun.value) : undefined;
  return eventView(event, { pendingWebhooks: pending[event.eventId], invoicePdfUrl });
}

/** The routes of events, which every edge serves. */
export const eventRoutes = [listRoute, retrieveRoute];
