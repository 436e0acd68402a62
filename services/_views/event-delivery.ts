import { type EventDelivery, EventDeliveryState } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import { secondsOf, secondsOrNull, textOrNull, wordOf } from "./scalars.ts";

/** How far an event has come to one endpoint. Stripe's public API has no such object: the names follow its manner. */
export interface EventDeliveryView {
  object: "event_delivery";
  created: number;
  event: string;
  /** How many tries have failed since it was last sent by hand, or first. */
  failed_attempts: number;
  last_attempt: { created: number; error: string | null; status: number | null } | null;
  next_attempt: number | null;
  status: "delivered" | "disabled" | "failed" | "pending";
  url: string;
  webhook_endpoint: string;
}

const statuses: Readonly<Record<number, EventDeliveryView["status"]>> = {
  [EventDeliveryState.DUE]: "pending",
  [EventDeliveryState.DELIVERED]: "delivered",
  [EventDeliveryState.DISABLED]: "disabled",
  [EventDeliveryState.DEAD]: "failed",
};

/** Shows how far an event has come to one endpoint. */
export function eventDeliveryView(eventId: string, delivery: EventDelivery): EventDeliveryView {
  const { createTime, dueTime, failedCount, problem, state, status, tryTime, url, webhookEndpointId } = delivery;
  return {
    object: "event_delivery",
    created: secondsOf(createTime),
    event: eventId,
    failed_attempts: failedCount,
    last_attempt:
      tryTime === undefined
        ? null
        : { created: secondsOf(tryTime), error: textOrNull(problem), status: status === 0 ? null : status },
    next_attempt: secondsOrNull(dueTime),
    status: wordOf(statuses, state),
    url,
    webhook_endpoint: webhookEndpointId,
  };
}
