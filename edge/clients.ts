import type { Clients } from "../services/_runtime/clients.ts";

/** Clients of the services the edge may call (topology.ts), whatever carries the calls. */
export type EdgeClients = Pick<Clients, "bank" | "mailer" | "pdf" | "reader" | "scheduler" | "transactions" | "writer">;
