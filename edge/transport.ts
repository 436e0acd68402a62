import type { FastifyRequest } from "fastify";
import { isLoopbackAddress } from "../services/_runtime/address.ts";

// What proxies add of themselves, or are commonly set up to add.
const proxyHeaders = /^(?:forwarded|via|x-forwarded-.+|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/;

/**
 * Whether nothing on the way could read a request: it came over TLS to the edge or to a trusted proxy, or from this machine
 * itself. A proxy on this machine that is not trusted betrays itself by its headers, and may have had it over a network.
 */
export function isPrivate({ protocol, socket, headers }: FastifyRequest): boolean {
  if (protocol === "https") return true;
  const isForwarded = Object.keys(headers).some((name) => proxyHeaders.test(name));
  return !isForwarded && isLoopback(socket.remoteAddress ?? "");
}

// A socket that listens on both families shows IPv4 in IPv6 clothes.
function isLoopback(address: string): boolean {
  return isLoopbackAddress(address.replace(/^::ffff:/i, ""));
}
