import type { ServiceImpl } from "@connectrpc/connect";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import type { WriterDependencies } from "./answers.ts";
import { redriveDeliveries, retryDelivery } from "./deliveries.ts";
import { leaseDeliveries } from "./lease-deliveries.ts";
import { recordDeliveries } from "./record-deliveries.ts";
import { createWebhookEndpoint, deleteWebhookEndpoint, updateWebhookEndpoint } from "./webhook-endpoints.ts";
import { rotateWebhookSecret } from "./webhook-secrets.ts";

/** The rpcs of endpoints and of what is on its way to them. */
export function writeWebhooks(dependencies: WriterDependencies) {
  return {
    createWebhookEndpoint: (request) => createWebhookEndpoint(dependencies, request),
    updateWebhookEndpoint: (request) => updateWebhookEndpoint(dependencies, request),
    deleteWebhookEndpoint: (request) => deleteWebhookEndpoint(dependencies, request),
    rotateWebhookSecret: (request) => rotateWebhookSecret(dependencies, request),
    leaseDeliveries: (request) => leaseDeliveries(dependencies, request),
    recordDeliveries: (request) => recordDeliveries(dependencies, request),
    retryDelivery: (request) => retryDelivery(dependencies, request),
    redriveDeliveries: (request) => redriveDeliveries(dependencies, request),
  } satisfies Partial<ServiceImpl<typeof WriterService>>;
}
