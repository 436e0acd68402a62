import type Stripe from "stripe";
import type { WebhookEndpoint } from "../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";
import { metadataOf, secondsOf, textOrNull } from "./scalars.ts";
import { API_VERSION, type Wire } from "./wire.ts";

/** Shows an endpoint; with its `secret` only in answer to the request that made that. */
export function webhookEndpointView(endpoint: WebhookEndpoint, secret = ""): Wire<Stripe.WebhookEndpoint> {
  return {
    id: endpoint.webhookEndpointId,
    object: "webhook_endpoint",
    api_version: API_VERSION,
    application: null,
    created: secondsOf(endpoint.createTime),
    description: textOrNull(endpoint.description),
    enabled_events: endpoint.eventTypes,
    livemode: endpoint.isLive,
    metadata: metadataOf(endpoint.metadata),
    ...(secret === "" ? {} : { secret }),
    status: endpoint.isDisabled ? "disabled" : "enabled",
    url: endpoint.url,
  };
}
