import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { mayReach, portOf, type WebhookReach, type WebhookTarget } from "../_runtime/webhook-reach.ts";

/** Finds every address of a name, as the system does; rejects when it has none. */
export type Lookup = (host: string) => Promise<readonly LookupAddress[]>;

/** Where to post: a URL, and the checked addresses behind it. Nothing else is ever connected to. */
export interface Target {
  readonly url: URL;
  /** The URL's host, an IPv6 address without its brackets. */
  readonly host: string;
  readonly addresses: readonly LookupAddress[];
}

/** Why nobody is called: never (`refused`), or not now. */
export interface NoTarget {
  readonly isRefused: boolean;
  /** Why, for people. */
  readonly problem: string;
}

/** What `resolveTarget` goes by. */
export interface Rules {
  readonly lookup: Lookup;
  /** Where on this machine endpoints may be called. */
  readonly reach: WebhookReach;
}

/**
 * Finds out where a URL leads, once, and checks every address: one that is not public spoils all the others, since a name
 * that answers with both is up to something. The URL parser has already turned 0x7f.1 and 2130706433 into 127.0.0.1.
 */
export async function resolveTarget(
  text: string,
  rules: Rules & Pick<WebhookTarget, "isLive">,
): Promise<Target | NoTarget> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return refused("the URL is not an http or https URL");
  if (url.username !== "" || url.password !== "") return refused("the URL holds a user name or a password");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = await addressesOf(host, rules.lookup);
  if (addresses.length === 0) return { isRefused: false, problem: "the host's name cannot be resolved" };
  const { isLive, reach } = rules;
  const isAllowed = ({ address }: LookupAddress) => mayReach(reach, { address, port: portOf(url), isLive });
  if (!addresses.every(isAllowed)) return refused("the host's address is not public");
  return { url, host, addresses };
}

async function addressesOf(host: string, lookup: Lookup): Promise<readonly LookupAddress[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  try {
    return await lookup(host);
  } catch {
    // The resolver's own words name our resolver and nothing a merchant could mend.
    return [];
  }
}

function refused(problem: string): NoTarget {
  return { isRefused: true, problem };
}
