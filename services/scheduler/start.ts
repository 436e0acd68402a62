import type { StartService } from "../_runtime/hosting.ts";
import { createScheduler } from "./service.ts";

/** Starts the scheduler and its sweeps. */
export const startScheduler: StartService<"scheduler"> = async ({ clients, clock, log }) =>
  createScheduler({ clients, clock, log });
