import { eventTypes } from "../../../services/_runtime/event-types.ts";
import type { EventView } from "../../../services/_views/event.ts";
import type { EventDeliveryView } from "../../../services/_views/event-delivery.ts";
import type { FailureView, WebhookEndpointView } from "../../../services/_views/webhook-endpoint.ts";
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
export const webhookEndpoint = shape<WebhookEndpointView>(
  {
    id: text(),
    object: kind("webhook_endpoint"),
    api_version: nullable(text()),
    application: nothing,
    created: moment(),
    deliveries: shape<WebhookEndpointView["deliveries"]>({
      delivered: whole("How many deliveries it took."),
      failed_attempts: whole("How many tries it did not take."),
      last_failure: nullable(
        shape<FailureView>({
          created: moment(),
          message: nullable(text("Why it was not delivered.")),
          status: nullable(whole("The HTTP status; null when none was received.")),
        }),
      ),
    }),
    description: nullable(text()),
    disabled_reason: nullable(word(["address_refused", "failing", "gone", "merchant"])),
    enabled_events: many(text('A type of event, or "*" for all.')),
    livemode: yesNo(),
    metadata,
    secret: sometimes(text("Signs what is sent; only in the answer to the request that made it.")),
    status: word(["disabled", "enabled"]),
    url: text(),
  },
  "Where events are sent.",
);

/** How far an event has come to one endpoint. */
export const eventDelivery = shape<EventDeliveryView>(
  {
    object: kind("event_delivery"),
    created: moment(),
    event: text(),
    failed_attempts: whole("How many tries have failed since it was last sent by hand, or first."),
    last_attempt: nullable(
      shape<NonNullable<EventDeliveryView["last_attempt"]>>({
        created: moment(),
        error: nullable(text("Why it was not taken.")),
        status: nullable(whole("The HTTP status; null when none was received.")),
      }),
    ),
    next_attempt: nullable(moment()),
    status: word(["delivered", "disabled", "failed", "pending"]),
    url: text(),
    webhook_endpoint: text(),
  },
  "How far an event has come to one endpoint.",
);
