import type { Server } from "node:http";
import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";

/** Finds the socket that a server accepted beneath a TLS socket; undefined for one that is none. */
export type AcceptedOf = (secured: Socket) => Socket | undefined;

/**
 * Keeps in mind which sockets a TLS server accepted. Node makes a TLS socket over each of them and does not tell which: both
 * have the same two ends, which no two open connections of one machine share (RFC 9293, 3.3.1).
 */
export function trackAcceptedSockets(server: Server): AcceptedOf {
  if (!(server instanceof TlsServer)) return () => undefined;
  const byEnds = new Map<string, Socket>();
  const found = new WeakMap<Socket, Socket>();
  server.prependListener("connection", (accepted: Socket) => {
    const ends = endsOf(accepted);
    byEnds.set(ends, accepted);
    // Node listens to the TLS socket alone.
    accepted.on("error", () => accepted.destroy());
    accepted.once("close", () => {
      // A client that has reset its connection may have the next one from the same port before this is known here.
      if (byEnds.get(ends) === accepted) byEnds.delete(ends);
    });
  });
  // A closed socket knows its ends no more.
  return (secured) => {
    const known = found.get(secured) ?? byEnds.get(endsOf(secured));
    if (known !== undefined) found.set(secured, known);
    return known;
  };
}

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}
