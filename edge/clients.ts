import type { ClientsOf } from "../services/_runtime/clients.ts";

/** The rpcs that the edge may call (topology.ts), whatever carries the calls. */
export type EdgeClients = ClientsOf<"edge">;
