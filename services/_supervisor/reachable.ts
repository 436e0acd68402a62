import { isIPv4 } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import type { Config } from "../_runtime/config.ts";
import { formatHostPort } from "../_runtime/host-port.ts";

/** Where the edge is reached. */
export interface ReachableUrls {
  /** From this machine: what health is asked at. */
  readonly here: string;
  /** What a person is shown: TRIPE_PUBLIC_URL, or an address of this machine that others reach where the edge listens on all. */
  readonly shown: string;
}

/** Finds out where the edge is reached: 0.0.0.0 and :: are addresses to listen on, not to call. */
export function findUrls(config: Config, interfaces = networkInterfaces()): ReachableUrls {
  const { listenHost, port } = config;
  const urlOf = (host: string) => `http://${formatHostPort({ host, port })}`;
  const isEverywhere = listenHost === "0.0.0.0" || listenHost === "::";
  if (!isEverywhere) return { here: urlOf(listenHost), shown: urlOf(listenHost) };
  const here = listenHost === "::" ? "::1" : "127.0.0.1";
  const found = Object.values(interfaces).flatMap((list) => list ?? []);
  return { here: urlOf(here), shown: urlOf(findAddress(found, listenHost) ?? here) };
}

/** IPv4 first, which everyone can type; a link-local IPv6 address would need its interface's name. */
function findAddress(found: readonly NetworkInterfaceInfo[], listenHost: string): string | undefined {
  const outside = found.filter(({ internal }) => !internal).map(({ address }) => address);
  const isUsable = (address: string) => listenHost === "::" && !isIPv4(address) && !/^fe80:/i.test(address);
  return outside.find((address) => isIPv4(address)) ?? outside.find(isUsable);
}
