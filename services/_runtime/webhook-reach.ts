import { networkInterfaces } from "node:os";
import { isLoopbackAddress, isPublicAddress } from "./address.ts";

/** Which addresses webhooks may be posted to, beside those of the public internet. */
export interface WebhookReach {
  /** Whether endpoints on this machine may be called: for all accounts, for none, or for sandbox accounts alone. */
  readonly loopback: "yes" | "no" | "sandbox";
  /** Ports of this machine that are never called: Tripe's own, and those of its Postgres, bank and mail server. */
  readonly closedPorts: readonly number[];
}

/** Where a webhook would be posted to, and for which kind of account. */
export interface WebhookTarget {
  readonly address: string;
  readonly port: number;
  isLive(): boolean;
}

/** Says whether a webhook may be posted to an address. */
export function mayReach(reach: WebhookReach, { address, port, isLive }: WebhookTarget): boolean {
  if (reach.closedPorts.includes(port) && isOwnAddress(address)) return false;
  if (isPublicAddress(address)) return true;
  if (!isLoopbackAddress(address)) return false;
  return reach.loopback === "yes" || (reach.loopback === "sandbox" && !isLive());
}

/** The port of a URL, also where it is left out. */
export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

function isOwnAddress(address: string): boolean {
  if (isLoopbackAddress(address)) return true;
  return Object.values(networkInterfaces()).some((list) => list?.some((own) => own.address === address) === true);
}
