import { lookup } from "node:dns/promises";
import type { StartService } from "../_runtime/hosting.ts";
import { openKeys } from "../_runtime/key-files.ts";
import { keyFile } from "../_runtime/key-ring.ts";
import { createPdfLinks } from "./pdf-links.ts";
import { createWebhooks } from "./service.ts";

/** Starts the webhooks service. It holds the keys of webhook secrets, and opens a secret to sign with it; what is to be delivered is in the database. */
export const startWebhooks: StartService<"webhooks"> = async ({ config, clock }) => ({
  implementation: createWebhooks({
    clock,
    webhookKeys: openKeys({ kind: "webhook", file: keyFile(config.dataDir, "webhook"), clock }),
    lookup: (name) => lookup(name, { all: true }),
    reach: config.webhooks,
    invoicePdfUrl: createPdfLinks(config, clock),
  }),
  close: async () => {},
});
