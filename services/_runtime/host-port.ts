import { isIPv6 } from "node:net";
import { isLoopbackAddress } from "./address.ts";

/** Where something listens: a name or an address, IPv6 without brackets, and a port from 0 to 65,535. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads "host:port", with brackets around an IPv6 address; undefined for anything else. */
export function parseHostPort(text: string): HostPort | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s/@:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  const host = bracketed ?? plain;
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

/** Writes "host:port", with brackets around an IPv6 address. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads what Tripe itself wrote as "host:port". */
export function splitHostPort(address: string): HostPort {
  const parsed = parseHostPort(address);
  if (parsed === undefined) throw new Error(`not host:port: "${address}"`);
  return parsed;
}

/** Says whether a host is this machine alone: "localhost" or a loopback address. */
export function isLoopbackHost(host: string): boolean {
  return host.toLowerCase() === "localhost" || isLoopbackAddress(host);
}
