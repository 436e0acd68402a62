import type { ClientsOf } from "../_runtime/clients.ts";

/** The rpcs that the scheduler may call (topology.ts), whatever carries the calls. */
export type SchedulerClients = ClientsOf<"scheduler">;
