import { lookup } from "node:dns/promises";
import { BoundSocket } from "node:net";
import type { HostPort } from "../_runtime/host-port.ts";

/**
 * Binds the edge's port for as long as this process lives. Each edge listens on this one socket: where one ends, or another takes its
 * place, connections wait in the queue of the socket instead of being refused. Undefined where a socket cannot be handed on, as on Windows.
 */
export async function bindEdge({ host, port }: HostPort): Promise<BoundSocket | undefined> {
  // The socket of `listen` too is of the first address of a name.
  const { address } = await lookup(host);
  const bound = new BoundSocket({ host: address, port });
  if (bound.fd() >= 0) return bound;
  bound.close();
  return undefined;
}
