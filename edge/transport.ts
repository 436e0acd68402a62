import type { IncomingHttpHeaders } from "node:http";
import type { FastifyRequest } from "fastify";
import { isLoopbackAddress } from "../services/_runtime/address.ts";
import { remember } from "./remember.ts";

// What proxies add of themselves, or are commonly set up to add; and each header that begins with x-forwarded-.
const proxyHeaders = ["forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"];

/**
 * Whether nothing on the way could read a request: it came over TLS to the edge or to a trusted proxy, or from this machine
 * itself. A proxy on this machine that is not trusted betrays itself by its headers, and may have had it over a network.
 */
export function isPrivate({ protocol, socket, headers }: FastifyRequest): boolean {
  if (protocol === "https") return true;
  return !isForwarded(headers) && isLoopback(socket.remoteAddress ?? "");
}

function isForwarded(headers: IncomingHttpHeaders): boolean {
  for (const name of proxyHeaders) if (headers[name] !== undefined) return true;
  for (const name in headers) if (name.startsWith("x-forwarded-")) return true;
  return false;
}

// A socket that listens on both families shows IPv4 in IPv6 clothes.
const isLoopback = remember((address) => isLoopbackAddress(address.replace(/^::ffff:/i, "")));
