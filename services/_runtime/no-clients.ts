import type { Clients } from "./clients.ts";

/** The clients of a service that calls nobody: a use of one is a bug, and throws. */
export const noClients: Clients = {
  get reader() {
    return nobody();
  },
  get writer() {
    return nobody();
  },
  get pdf() {
    return nobody();
  },
  get bank() {
    return nobody();
  },
  get scheduler() {
    return nobody();
  },
  get transactions() {
    return nobody();
  },
  get mailer() {
    return nobody();
  },
  get webhooks() {
    return nobody();
  },
};

function nobody(): never {
  throw new Error("assertion failed: the topology lists nobody that this service may call");
}
