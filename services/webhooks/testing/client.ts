import type { Client } from "@connectrpc/connect";
import { WebhooksService } from "../../../gen/tripe/webhooks/v1/webhooks_service_pb.ts";
import { createServiceClient } from "../../_runtime/client.ts";
import { createDirectTransport } from "../../_runtime/direct-transport.ts";
import { createHost } from "../../_runtime/host.ts";
import { silentLog } from "../../_runtime/log.ts";
import type { Courier } from "../deliver-event.ts";
import { createWebhooks } from "../service.ts";

/** Makes a client of a webhooks service in this process, with everything a call between services goes through. */
export function createWebhooksClient(courier: Courier): Client<typeof WebhooksService> {
  const { clock } = courier;
  const services = [{ service: WebhooksService, implementation: createWebhooks(courier) }] as const;
  const host = createHost({ name: "webhooks", services, log: silentLog, clock });
  const transport = createDirectTransport({ host: () => host, clock, freeze: true });
  return createServiceClient(WebhooksService, "webhooks", transport, { caller: "scheduler", clock, log: silentLog });
}
