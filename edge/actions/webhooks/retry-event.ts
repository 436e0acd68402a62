import { expand, group, id } from "../../decode/fields.ts";
import { found } from "../../reads.ts";
import { defineRoute } from "../../route.ts";
import { showEvent } from "../events/events.ts";

/** The route by which an event is delivered again, as `stripe events resend` asks for it. */
export const retryEventRoute = defineRoute({
  method: "POST",
  path: "/v1/events/:id/retry",
  operationId: "retryEvent",
  answers: "Event",
  summary: "Deliver an event to an endpoint again, from the first rung of its ladder.",
  params: group({ webhook_endpoint: id, expand }),
  expandable: [],
  mentions: (given, { webhook_endpoint: endpoint }) => ({
    event: { id: given, param: "id" },
    webhookEndpoint: { id: endpoint, param: "webhook_endpoint" },
  }),
  async run(request, { webhook_endpoint: webhookEndpointId }) {
    const { accountId, clients, id: eventId, identity } = request;
    const { isReplayed } = await clients.writer.retryDelivery({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      eventId,
      webhookEndpointId,
    });
    const [{ event }, { counts }] = await Promise.all([
      clients.reader.getEvent({ accountId, eventId }),
      clients.reader.countPendingDeliveries({ accountId, eventIds: [eventId] }),
    ]);
    return { body: showEvent(request, found(event), counts), isReplayed };
  },
});
