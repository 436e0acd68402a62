import { isIP } from "node:net";
import { isPublicAddress } from "../../../services/_runtime/address.ts";
import { mayReach, portOf, type WebhookReach } from "../../../services/_runtime/webhook-reach.ts";
import { endpointUrlInvalid } from "../../webhook-problems.ts";

/**
 * Throws a Problem for a URL that no event will ever be posted to: not http or https, with a password in it, or with an
 * address that is not public. A name is resolved at each delivery, and judged then: what it leads to may change.
 */
export function checkUrl(
  text: string,
  { reach, isLive }: { readonly reach: WebhookReach; readonly isLive: boolean },
): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw endpointUrlInvalid("must be an http or https URL");
  if (url.username !== "" || url.password !== "") throw endpointUrlInvalid("must hold no user name and no password");
  // The parser has already turned 0x7f.1 and 2130706433 into 127.0.0.1.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const isName = isIP(host) === 0;
  if (isName && !/^(.+\.)?localhost\.?$/.test(host)) return;
  const address = isName ? "127.0.0.1" : host;
  const port = portOf(url);
  if (mayReach(reach, { address, port, isLive: () => isLive })) return;
  const isOwn = reach.closedPorts.includes(port) && (isPublicAddress(address) || reach.loopback !== "no");
  throw endpointUrlInvalid(isOwn ? "must not lead to a port of Tripe itself" : "must be publicly accessible");
}
