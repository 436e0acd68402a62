import { eventDeliveryView } from "../../../services/_views/event-delivery.ts";
import { listView } from "../../../services/_views/list.ts";
import { group } from "../../decode/fields.ts";
import { defineRoute } from "../../route.ts";

/** The route that shows how far an event has come to each endpoint. Endpoints are few, so that there is one page. */
export const eventDeliveriesRoute = defineRoute({
  method: "GET",
  path: "/v1/events/:id/deliveries",
  operationId: "listEventDeliveries",
  answers: "EventDelivery",
  summary: "List how far an event has come to each endpoint: state, tries, last error, next try.",
  params: group({}),
  expandable: [],
  isList: true,
  mentions: (given) => ({ event: { id: given, param: "id" } }),
  async run({ accountId, clients, id: eventId }) {
    const { deliveries } = await clients.reader.listEventDeliveries({ accountId, eventId });
    const data = deliveries.map((delivery) => eventDeliveryView(eventId, delivery));
    return { body: listView({ url: `/v1/events/${eventId}/deliveries`, data, hasMore: false }) };
  },
});
