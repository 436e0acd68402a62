import { eventTypes } from "../../../services/_runtime/event-types.ts";
import type { EventView } from "../../../services/_views/event.ts";
import type { webhookEndpointView } from "../../../services/_views/webhook-endpoint.ts";
import {
  either,
  kind,
  many,
  metadata,
  moment,
  nothing,
  nullable,
  ref,
  shape,
  sometimes,
  text,
  whole,
  word,
  yesNo,
} from "../shapes.ts";

/** The objects that events tell of. */
const nouns = [
  "Charge",
  "Customer",
  "Invoice",
  "InvoiceItem",
  "PaymentMethod",
  "Price",
  "Product",
  "Refund",
  "Subscription",
  "Token",
  "WebhookEndpoint",
];

/** An event. */
export const event = shape<EventView>(
  {
    id: text(),
    object: kind("event"),
    api_version: nullable(text()),
    created: moment(),
    data: shape<EventView["data"]>({
      object: either(...nouns.map(ref)),
      previous_attributes: sometimes(shape<object>({}, "Of an update: what the changed fields were before.")),
    }),
    livemode: yesNo(),
    pending_webhooks: whole("How many endpoints have not taken it yet."),
    request: nullable(
      shape<NonNullable<EventView["request"]>>({
        id: nullable(text("The Request-Id of the request that caused it.")),
        idempotency_key: nullable(text("That request's Idempotency-Key.")),
      }),
    ),
    type: word(eventTypes),
  },
  "What happened, with the object as it was then.",
);

/** A webhook endpoint. */
export const webhookEndpoint = shape<ReturnType<typeof webhookEndpointView>>(
  {
    id: text(),
    object: kind("webhook_endpoint"),
    api_version: nullable(text()),
    application: nothing,
    created: moment(),
    description: nullable(text()),
    enabled_events: many(text('A type of event, or "*" for all.')),
    livemode: yesNo(),
    metadata,
    secret: sometimes(text("Signs what is sent; only in the answer to the request that made it.")),
    status: word(["disabled", "enabled"]),
    url: text(),
  },
  "Where events are sent.",
);
