import type { StartService } from "../_runtime/hosting.ts";
import { createTransactions } from "./service.ts";

/** Starts the service that runs transactions. It holds nothing: all it knows is in the database. */
export const startTransactions: StartService<"transactions"> = async ({ clients, clock, log }) => ({
  implementation: createTransactions({ clients, clock, log, random: Math.random }),
  close: async () => {},
});
