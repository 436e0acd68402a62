import type { FastifyRequest } from "fastify";
import { isLoopbackAddress } from "../services/_runtime/address.ts";

/**
 * Whether nothing on the way could read a request: it came over TLS to the edge or to a trusted proxy, or from this machine
 * itself. A proxy on this machine that is not trusted betrays itself by its headers, and may have had it over a network.
 */
export function isPrivate({ protocol, socket, headers }: FastifyRequest): boolean {
  if (protocol === "https") return true;
  const isForwarded = ["forwarded", "x-forwarded-for", "x-forwarded-proto", "via"].some((name) => name in headers);
  return !isForwarded && isLoopback(socket.remoteAddress ?? "");
}

// A socket that listens on both families shows IPv4 in IPv6 clothes.
function isLoopback(address: string): boolean {
  return isLoopbackAddress(address.replace(/^::ffff:/i, ""));
}
