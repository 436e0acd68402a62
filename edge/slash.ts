import type { IncomingHttpHeaders } from "node:http";

/**
 * A URL as it is routed: a slash at the end of the path is left out, as Stripe does. The official SDKs write one only before
 * an id that is empty (`retrieve("")` asks for "/v1/charges/"): theirs is kept, and is an unknown URL, so that a program
 * that lost an id neither lists nor makes anything.
 */
export function withoutSlash(url: string, headers: IncomingHttpHeaders): string {
  const queryStart = url.indexOf("?");
  const pathEnd = queryStart < 0 ? url.length : queryStart;
  if (pathEnd < 2 || url[pathEnd - 1] !== "/" || isFromSdk(headers)) return url;
  return url.slice(0, pathEnd - 1) + url.slice(pathEnd);
}

// "Stripe/v1 NodeBindings/23.1.0"; some leave the User-Agent to the platform and send this header alone.
function isFromSdk(headers: IncomingHttpHeaders): boolean {
  return (headers["user-agent"] ?? "").startsWith("Stripe/v") || headers["x-stripe-client-user-agent"] !== undefined;
}
