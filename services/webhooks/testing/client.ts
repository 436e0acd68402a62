import type { Client } from "@connectrpc/connect";
import { WebhooksService } from "../../../gen/tripe/webhooks/v1/webhooks_service_pb.ts";
import { createServiceClient } from "../../_runtime/client.ts";
import { createDirectTransport } from "../../_runtime/direct-transport.ts";
import { createHost } from "../../_runtime/host.ts";
import { fixedKeys } from "../../_runtime/key-files.ts";
import { silentLog } from "../../_runtime/log.ts";
import { sealText } from "../../_runtime/seal.ts";
import type { WebhookReach } from "../../_runtime/webhook-reach.ts";
import type { Courier } from "../deliver-event.ts";
import { createWebhooks } from "../service.ts";

const webhookKeys = fixedKeys("webhook", Buffer.alloc(32, 6).toString("hex"));

/** What names an endpoint and its secrets in a request, sealed as the writer seals them. */
export function endpointOf(secrets: readonly string[], webhookEndpointId = "we_1") {
  const owner = { accountId: "acct_1", objectId: webhookEndpointId };
  return { webhookEndpointId, sealedSecrets: secrets.map((secret) => sealText(webhookKeys, secret, owner)) };
}

/** Makes a client of a webhooks service in this process, with everything a call between services goes through. */
export function createWebhooksClient(
  rules: Omit<Courier, "webhookKeys"> & Partial<Courier>,
): Client<typeof WebhooksService> {
  const courier = { webhookKeys, ...rules };
  const { clock } = courier;
  const services = [{ service: WebhooksService, implementation: createWebhooks(courier) }] as const;
  const host = createHost({ name: "webhooks", services, log: silentLog, clock });
  const transport = createDirectTransport({ host: () => host, clock, freeze: true });
  return createServiceClient(WebhooksService, "webhooks", transport, { caller: "scheduler", clock, log: silentLog });
}

/** Where on this machine webhooks may go in a test: anywhere, or nowhere. */
export function reachOf(allowsLoopback: boolean): WebhookReach {
  return { loopback: allowsLoopback ? "yes" : "no", closedPorts: [] };
}
