import { answeredObjects } from "./openapi/objects/objects.ts";
import { expandInvalid } from "./problems.ts";
import type { Route } from "./route.ts";

/** What Stripe can expand and Tripe does not offer: it is null wherever it is, and null is what expanding null shows. */
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

type Expanding = Pick<Route, "answers" | "expandable" | "isList">;

/** The paths that a route expands, as a request names them: its own, and what its object has of those that are null. */
export function expandPathsOf({ answers, expandable, isList = false }: Expanding): string[] {
  const nullFields = [...alwaysNull].filter((name) => !expandable.includes(name) && hasField(answers, name));
  return [...expandable, ...nullFields].map((path) => (isList ? `data.${path}` : path));
}

function hasField(answers: Route["answers"], name: string): boolean {
  const names = typeof answers === "string" ? [answers] : answers;
  return names.some((one) => one !== "pdf" && Object.hasOwn(Object(answeredObjects[one]).properties ?? {}, name));
}

/** Reads which paths a request wants to see whole; throws a Problem on one that this route cannot expand. */
export function readExpand(route: Expanding, paths: readonly string[] = []): ReadonlySet<string> {
  if (paths.length === 0) return none;
  const allowed = new Set(expandPathsOf(route));
  const wanted = paths.map((path) => {
    if (!allowed.has(path)) throw expandInvalid(path);
    return route.isList === true ? path.slice("data.".length) : path;
  });
  return new Set(wanted);
}

const none: ReadonlySet<string> = new Set();
