import type Stripe from "stripe";
import {
  type DeliveryFailure,
  DisableReason,
  type WebhookEndpoint,
} from "../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";
import { metadataOf, secondsOf, textOrNull, wordOf } from "./scalars.ts";
import { API_VERSION, type Wire } from "./wire.ts";

/** A try that an endpoint did not take. */
export interface FailureView {
  created: number;
  /** Why, for people. */
  message: string | null;
  /** The HTTP status; null when none was received. */
  status: number | null;
}

/** An endpoint as the public API shows it: Stripe's, and how its deliveries end. */
export type WebhookEndpointView = Wire<Stripe.WebhookEndpoint> & {
  deliveries: { delivered: number; failed_attempts: number; last_failure: FailureView | null };
  /** Why it is sent nothing; null while it is enabled. */
  disabled_reason: DisabledReason | null;
};

/** Why an endpoint is sent nothing: its merchant disabled it, it answered 410, it failed too long, or Tripe does not call its address. */
export type DisabledReason = "address_refused" | "failing" | "gone" | "merchant";

const reasons: Readonly<Record<number, DisabledReason>> = {
  [DisableReason.MERCHANT]: "merchant",
  [DisableReason.GONE]: "gone",
  [DisableReason.FAILING]: "failing",
  [DisableReason.REFUSED]: "address_refused",
};

/** Shows an endpoint; with its `secret` only in answer to the request that made that. */
export function webhookEndpointView(endpoint: WebhookEndpoint, secret = ""): WebhookEndpointView {
  return {
    id: endpoint.webhookEndpointId,
    object: "webhook_endpoint",
    api_version: endpoint.apiVersion === "" ? API_VERSION : endpoint.apiVersion,
    application: null,
    created: secondsOf(endpoint.createTime),
    deliveries: {
      delivered: Number(endpoint.deliveredCount),
      failed_attempts: Number(endpoint.failedCount),
      last_failure: failureView(endpoint.lastFailure),
    },
    description: textOrNull(endpoint.description),
    disabled_reason: endpoint.isDisabled ? wordOf(reasons, endpoint.disableReason) : null,
    enabled_events: endpoint.eventTypes,
    livemode: endpoint.isLive,
    metadata: metadataOf(endpoint.metadata),
    ...(secret === "" ? {} : { secret }),
    status: endpoint.isDisabled ? "disabled" : "enabled",
    url: endpoint.url,
  };
}

function failureView(failure: DeliveryFailure | undefined): FailureView | null {
  if (failure?.time === undefined) return null;
  const { problem, status, time } = failure;
  return { created: secondsOf(time), message: textOrNull(problem), status: status === 0 ? null : status };
}
