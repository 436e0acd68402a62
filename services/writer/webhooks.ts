import type { ServiceImpl } from "@connectrpc/connect";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import type { WriterDependencies } from "./answers.ts";
import { markDeliveriesQueued, redriveDeliveries, retryDelivery } from "./deliveries.ts";
import { recordDeliveries } from "./record-deliveries.ts";
import {
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  markEndpointNoticed,
  updateWebhookEndpoint,
} from "./webhook-endpoints.ts";
import { rotateWebhookSecret } from "./webhook-secrets.ts";

/** The rpcs of endpoints and of what is on its way to them. */
export function writeWebhooks(dependencies: WriterDependencies) {
  return {
    createWebhookEndpoint: (request) => createWebhookEndpoint(dependencies, request),
    updateWebhookEndpoint: (request) => updateWebhookEndpoint(dependencies, request),
    deleteWebhookEndpoint: (request) => deleteWebhookEndpoint(dependencies, request),
    rotateWebhookSecret: (request) => rotateWebhookSecret(dependencies, request),
    markEndpointNoticed: (request) => markEndpointNoticed(dependencies, request),
    markDeliveriesQueued: (request) => markDeliveriesQueued(dependencies, request),
    recordDeliveries: (request) => recordDeliveries(dependencies, request),
    retryDelivery: (request) => retryDelivery(dependencies, request),
    redriveDeliveries: (request) => redriveDeliveries(dependencies, request),
  } satisfies Partial<ServiceImpl<typeof WriterService>>;
}
