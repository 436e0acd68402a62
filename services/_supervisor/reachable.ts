import type { X509Certificate } from "node:crypto";
import { isIP, isIPv4 } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import type { Config } from "../_runtime/config.ts";
import { namesOf } from "../_runtime/edge-certificate.ts";
import { formatHostPort, isLoopbackHost } from "../_runtime/host-port.ts";

/** Where the edge is reached. */
export interface ReachableUrls {
  /** From this machine: what health is asked at. */
  readonly here: string;
  /** What a person is shown: what others reach where the edge listens everywhere, and over HTTPS what its certificate is for. */
  readonly shown: string;
  /** The address of this machine, as host:port, where the name in `shown` need not lead to it. */
  readonly connectTo: string | undefined;
}

/**
 * Finds out where the edge is reached: 0.0.0.0 and :: are addresses to listen on, not to call, and over HTTPS a client
 * accepts those names and addresses alone that the certificate is for.
 */
export function findUrls(
  config: Config,
  certificate?: X509Certificate,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): ReachableUrls {
  const { port } = config;
  const urlOf = (host: string) => `${certificate ? "https" : "http"}://${formatHostPort({ host, port })}`;
  const { here, shown } = findHosts(config.listenHost, interfaces);
  const own = [shown, here, ...(isLoopbackHost(here) ? ["localhost"] : [])];
  const reached = certificate === undefined ? shown : own.find((host) => isFor(certificate, host));
  if (certificate === undefined || reached !== undefined) {
    return { here: urlOf(here), shown: urlOf(reached ?? shown), connectTo: undefined };
  }
  const name = chooseName(certificate, config.publicUrl);
  return { here: urlOf(here), shown: urlOf(name), connectTo: formatHostPort({ host: here, port }) };
}

function findHosts(listenHost: string, interfaces: ReturnType<typeof networkInterfaces>) {
  if (listenHost !== "0.0.0.0" && listenHost !== "::") return { here: listenHost, shown: listenHost };
  const here = listenHost === "::" ? "::1" : "127.0.0.1";
  const found = Object.values(interfaces).flatMap((list) => list ?? []);
  return { here, shown: findAddress(found, listenHost) ?? here };
}

/** The public name where the certificate is for it, or the first of its own. */
function chooseName(certificate: X509Certificate, publicUrl: string | undefined): string {
  const publicHost = publicUrl === undefined ? undefined : new URL(publicUrl).hostname;
  if (publicHost !== undefined && isFor(certificate, publicHost)) return publicHost;
  const [first = ""] = namesOf(certificate);
  // Any name will do in the place of a wildcard.
  return first.replace(/^\*\./, "tripe.");
}

function isFor(certificate: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}

/** IPv4 first, which everyone can type; a link-local IPv6 address would need its interface's name. */
function findAddress(found: readonly NetworkInterfaceInfo[], listenHost: string): string | undefined {
  const outside = found.filter(({ internal }) => !internal).map(({ address }) => address);
  const isUsable = (address: string) => listenHost === "::" && !isIPv4(address) && !/^fe80:/i.test(address);
  return outside.find((address) => isIPv4(address)) ?? outside.find(isUsable);
}
