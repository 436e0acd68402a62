import { lookup } from "node:dns/promises";
import type { StartService } from "../_runtime/hosting.ts";
import { createWebhooks } from "./service.ts";

/** Starts the webhooks service. It holds nothing: what is to be delivered is in the database. */
export const startWebhooks: StartService<"webhooks"> = async ({ config, clock }) => ({
  implementation: createWebhooks({
    clock,
    lookup: (name) => lookup(name, { all: true }),
    allowsLoopback: config.webhooksLoopback,
  }),
  close: async () => {},
});
