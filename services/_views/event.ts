import type Stripe from "stripe";
import type { Event, Snapshot } from "../../gen/tripe/billing/v1/event_pb.ts";
import { assert, unreachable } from "../_runtime/errors.ts";
import { chargeView } from "./charge.ts";
import { customerView } from "./customer.ts";
import { type InvoiceView, invoiceView } from "./invoice.ts";
import { type InvoiceItemView, invoiceItemView } from "./invoice-item.ts";
import { paymentMethodView } from "./payment-method.ts";
import { previousAttributes } from "./previous-attributes.ts";
import { priceView } from "./price.ts";
import { productView } from "./product.ts";
import { returnView } from "./return.ts";
import { secondsOf, textOrNull } from "./scalars.ts";
import { type SubscriptionView, subscriptionView } from "./subscription.ts";
import { tokenView } from "./token.ts";
import { webhookEndpointView } from "./webhook-endpoint.ts";
import { API_VERSION, type Wire } from "./wire.ts";

/** The object of an event: any noun that Tripe tells of. */
export type EventObject =
  | Wire<Stripe.Charge>
  | Wire<Stripe.Customer>
  | InvoiceItemView
  | InvoiceView
  | SubscriptionView
  | Wire<Stripe.PaymentMethod>
  | Wire<Stripe.Price>
  | Wire<Stripe.Product>
  | Wire<Stripe.Refund>
  | Wire<Stripe.Token>
  | Wire<Stripe.WebhookEndpoint>;

/** An event as the public API shows it, the noun typed. */
export type EventView = Omit<Wire<Stripe.EventBase>, "data" | "type"> & {
  data: { object: EventObject; previous_attributes?: Record<string, unknown> };
  type: string;
};

/** What an event does not hold: how many endpoints have not taken it yet, and where the PDF of its invoice is. */
export interface EventContext {
  /** The version that the endpoint it is posted to was made with; empty for Tripe's own. */
  readonly apiVersion?: string;
  readonly pendingWebhooks?: number | undefined;
  readonly invoicePdfUrl?: string | undefined;
}

/**
 * Shows an event: its noun as it was when it happened, never as it is now, and never expanded; of an update, what was before.
 * Who does not know something of the context leaves it out.
 */
export function eventView(
  event: Event,
  { apiVersion = "", pendingWebhooks = 0, invoicePdfUrl }: EventContext = {},
): EventView {
  assert(event.snapshot !== undefined, "an event has a snapshot");
  const object = snapshotView(event.snapshot, { invoicePdfUrl });
  const before = event.previous && snapshotView(event.previous, { invoicePdfUrl });
  return {
    id: event.eventId,
    object: "event",
    api_version: apiVersion === "" ? API_VERSION : apiVersion,
    created: secondsOf(event.createTime),
    data: { object, ...(before && { previous_attributes: previousAttributes({ ...before }, { ...object }) }) },
    livemode: event.isLive,
    pending_webhooks: pendingWebhooks,
    request: { id: textOrNull(event.requestId), idempotency_key: textOrNull(event.idempotencyKey) },
    type: event.type,
  };
}

/** Shows one noun as it was at one moment. `invoicePdfUrl` is for an invoice alone. */
export function snapshotView({ noun }: Snapshot, context: Pick<EventContext, "invoicePdfUrl"> = {}): EventObject {
  switch (noun.case) {
    case "customer":
      return customerView(noun.value);
    case "paymentMethod":
      return paymentMethodView(noun.value);
    case "charge":
      return chargeView(noun.value);
    case "return":
      return returnView(noun.value);
    case "token":
      return tokenView(noun.value);
    case "product":
      return productView(noun.value);
    case "price":
      return priceView(noun.value);
    case "invoice":
      return invoiceView(noun.value, context);
    case "invoiceItem":
      return invoiceItemView(noun.value);
    case "subscription":
      return subscriptionView(noun.value);
    case "webhookEndpoint":
      return webhookEndpointView(noun.value);
    case undefined:
      throw new Error("assertion failed: a snapshot holds a noun");
    default:
      return unreachable(noun);
  }
}
