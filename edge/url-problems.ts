import { explainNotOffered } from "./not-offered.ts";
import { excerpt, Problem } from "./problem.ts";

// Public words about URLs and methods; those about everything else are in problems.ts.

/** A path or method that no route has; one of Stripe's is named, with what to use instead. */
export function urlUnrecognized(method: string, path: string): Problem {
  const message =
    explainNotOffered(method, path) ??
    `Unrecognized request URL (${method}: ${excerpt(path)}). See /openapi.json for every URL there is.`;
  return new Problem(404, { type: "invalid_request_error", message });
}

/** A link to an invoice's PDF that was good once. */
export function pdfLinkEnded(): Problem {
  const message = "This link has ended. Ask the merchant who sent it for a new one: the invoice's invoice_pdf.";
  return new Problem(410, { type: "invalid_request_error", message });
}

/** A path that has routes, but none of this method. */
export function methodNotAllowed(method: string, allowed: readonly string[]): Problem {
  const allow = allowed.join(", ");
  const message = `Unrecognized method ${excerpt(method)} for this URL: it has ${allow}.`;
  return new Problem(405, { type: "invalid_request_error", message }, { headers: { allow } });
}
