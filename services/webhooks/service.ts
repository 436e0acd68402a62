import type { ServiceImpl } from "@connectrpc/connect";
import type { WebhooksService } from "../../gen/tripe/webhooks/v1/webhooks_service_pb.ts";
import { type Courier, deliverEvent } from "./deliver-event.ts";

/** Makes the webhooks service. */
export function createWebhooks(courier: Courier): ServiceImpl<typeof WebhooksService> {
  return {
    deliverEvent: (request, context) => deliverEvent(courier, request, context),
  };
}
