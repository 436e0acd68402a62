import { runServiceProcess } from "../_runtime/hosting.ts";
import { startScheduler } from "./start.ts";

await runServiceProcess("scheduler", startScheduler);
