import { runServiceProcess } from "../_runtime/hosting.ts";
import { startWebhooks } from "./start.ts";

await runServiceProcess("webhooks", startWebhooks);
