import { alwaysNull } from "./expand.ts";
import type { Route } from "./route.ts";

/** What the scopes of a restricted key name: the five actions, and what merchants' servers follow. */
export const keyResources = [
  "customers",
  "charges",
  "returns",
  "subscriptions",
  "invoices",
  "events",
  "webhook_endpoints",
] as const;

/** One of the resources of a scope. */
export type KeyResource = (typeof keyResources)[number];

/** A permission: "charges:read" or "charges:write"; write includes read. */
export type Scope = `${KeyResource}:${"read" | "write"}`;

// By the first segment of a path under /v1.
const resources: Readonly<Record<string, KeyResource>> = {
  customers: "customers",
  tokens: "customers",
  payment_methods: "customers",
  charges: "charges",
  refunds: "returns",
  returns: "returns",
  products: "subscriptions",
  prices: "subscriptions",
  subscriptions: "subscriptions",
  invoiceitems: "invoices",
  invoices: "invoices",
  invoice_payments: "invoices",
  events: "events",
  webhook_endpoints: "webhook_endpoints",
};

// By the segments of an expanded path: each shows an object of its own.
const expandedResources: Readonly<Record<string, KeyResource>> = {
  balance_transaction: "charges",
  charge: "charges",
  customer: "customers",
  default_payment_method: "customers",
  default_source: "customers",
  invoice: "invoices",
  latest_invoice: "invoices",
  payments: "invoices",
  product: "subscriptions",
  default_price: "subscriptions",
  refunds: "returns",
  sources: "customers",
  subscription: "subscriptions",
  subscriptions: "subscriptions",
};

// Segments that show nothing which the object around them does not.
const ownSegments: ReadonlySet<string> = new Set([
  ...alwaysNull,
  "confirmation_secret",
  "data",
  "invoice_settings",
  "items",
  "parent",
  "payment",
  "pending_setup_intent",
  "price",
  "subscription_details",
]);

/** The scope that a route needs. */
export function scopeOf({ method, path }: Pick<Route, "method" | "path">): Scope {
  const segment = path.split("/")[2] ?? "";
  const resource = Object.hasOwn(resources, segment) ? resources[segment] : undefined;
  if (resource === undefined) throw new Error(`no scope of a restricted key covers ${path}`);
  return `${resource}:${method === "GET" ? "read" : "write"}`;
}

/** The scopes that expanding these paths needs: what a key may not read it may not expand either. */
export function scopesOfExpanded(paths: Iterable<string>): Scope[] {
  const segments = [...paths].flatMap((path) => path.split("."));
  const found = segments
    .filter((segment) => !ownSegments.has(segment))
    .map((segment) => {
      const resource = Object.hasOwn(expandedResources, segment) ? expandedResources[segment] : undefined;
      if (resource === undefined) throw new Error(`no scope of a restricted key covers expanding ${segment}`);
      return `${resource}:read` as const;
    });
  return [...new Set(found)];
}

/** Whether a restricted key's scopes grant one. */
export function grantsScope(scopes: readonly string[], wanted: Scope): boolean {
  return scopes.includes(wanted) || scopes.includes(wanted.replace(/:read$/, ":write"));
}

/** Reads scopes as a person writes them, "charges:write,customers:read"; throws in words on one that does not exist. */
export function parseScopes(text: string): Scope[] {
  const words = text.split(",").map((word) => word.trim());
  return [...new Set(words.map(parseScope))];
}

function parseScope(word: string): Scope {
  const [name, access, ...rest] = word.split(":");
  const resource = keyResources.find((one) => one === name);
  if (resource !== undefined && (access === "read" || access === "write") && rest.length === 0) {
    return `${resource}:${access}`;
  }
  throw new Error(
    `"${word}" is not a scope: write <resource>:read or <resource>:write, with ${keyResources.join(", ")}`,
  );
}
