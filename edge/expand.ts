import { expandInvalid } from "./problems.ts";
import type { Route } from "./route.ts";

/** What Stripe can expand and Tripe does not offer: it is null everywhere, and null is what expanding null shows. */
export const alwaysNull: ReadonlySet<string> = new Set([
  "application",
  "application_fee",
  "failure_balance_transaction",
  "on_behalf_of",
  "payment_intent",
  "review",
  "source_transfer",
  "transfer",
]);

/** Reads which paths a request wants to see whole; throws a Problem on one that this route cannot expand. */
export function readExpand(
  { expandable, isList = false }: Pick<Route, "expandable" | "isList">,
  paths: readonly string[] = [],
): ReadonlySet<string> {
  const wanted = paths.map((path) => {
    const own = isList ? /^data\.(.+)$/.exec(path)?.[1] : path;
    if (own === undefined || !(expandable.includes(own) || alwaysNull.has(own))) throw expandInvalid(path);
    return own;
  });
  return new Set(wanted);
}
