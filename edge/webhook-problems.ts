import { excerpt, invalid, type Problem } from "./problem.ts";

// Public words about what endpoints stand against.

/** A URL that no event can be posted to; `expected` follows "The URL". */
export function endpointUrlInvalid(expected: string): Problem {
  return invalid({ code: "url_invalid", message: `Invalid URL: the URL ${expected}.`, param: "url" });
}

/** A version of the API that is none; `param` only where a parameter named it, and not the request's header. */
export function apiVersionInvalid(given: string, param?: string): Problem {
  const message =
    `Invalid Stripe API version: '${excerpt(given)}'. A version is a day, and since 2024 a name: 2019-12-03, ` +
    "2026-10-28.endive.";
  return invalid({ message, ...(param === undefined ? {} : { param }) });
}

/** One endpoint too many. */
export function endpointsTooMany(): Problem {
  return invalid({ message: "You have reached the maximum of 16 webhook endpoints." });
}

/** A rotation while four secrets still sign. */
export function secretsTooMany(): Problem {
  return invalid({
    message:
      "This webhook endpoint has four secrets that have not expired. Rotate again when one has, or with `expires_in=0`.",
  });
}

/** An event that is to be sent again to an endpoint that hears of nothing. */
export function endpointDisabled(): Problem {
  return invalid({ message: "The webhook endpoint is disabled. Enable it first.", param: "webhook_endpoint" });
}
