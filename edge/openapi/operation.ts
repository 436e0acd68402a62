import { type KeyResource, keyResources, scopeOf } from "../key-scopes.ts";
import type { Route } from "../route.ts";
import { errorStatuses } from "./errors.ts";
import { exampleNames } from "./examples.ts";
import { type NamedParams, publishBody, publishQuery } from "./params.ts";

const tagWords: Readonly<Record<KeyResource, string>> = {
  customers: "Customers, their cards and payment methods, and tokens.",
  charges: "Money taken from cards, or held on them.",
  returns: "Money of charges given back; refunds and returns are one resource.",
  subscriptions: "Products, prices, and subscriptions that renew themselves.",
  invoices: "Invoices, their items, lines and payments.",
  events: "What happened, however long ago.",
  webhook_endpoints: "Where events are sent.",
};

/** What operations are grouped by: the five actions, events, and webhook endpoints. */
export const tags = keyResources.map((name) => ({ name, description: tagWords[name] }));

/** The tag of a route. */
export function tagOf(route: Pick<Route, "method" | "path">): string {
  return scopeOf(route).replace(/:.*/, "");
}

/** Describes one route under one of its names. */
export function operationOf(route: Route, operationId: string, params: NamedParams): object {
  const isPost = route.method === "POST";
  const parameters = [
    ...(route.path.includes(":id") ? [pathId] : []),
    ...(isPost ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : publishQuery(route, params)),
  ];
  return {
    operationId,
    tags: [tagOf(route)],
    summary: summaryOf(route.summary),
    description: descriptionOf(route),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(isPost ? { requestBody: publishBody(route, params) } : {}),
    security: securityOf(route),
    responses: { 200: successOf(route), ...failuresOf(route) },
  };
}

// An id longer than any is a 404, as an unknown one is.
const pathId = { name: "id", in: "path", required: true, schema: { type: "string", minLength: 1, maxLength: 64 } };

// Which internal calls a route makes is for readers of the code.
function summaryOf(summary: string): string {
  return summary.replace(/: \w+\.[A-Z].*$/, ".");
}

function descriptionOf(route: Route): string {
  const scope = `A restricted key needs the scope \`${scopeOf(route)}\`.`;
  return route.scope === "publishable" ? `${scope} A publishable key will do.` : scope;
}

function securityOf(route: Route): object[] {
  const roles = [scopeOf(route)];
  const secret = [{ secretKey: roles }, { secretKeyAsUser: roles }];
  return route.scope === "publishable" ? [...secret, { publishableKey: [] }] : secret;
}

function successOf(route: Route): object {
  const headers = {
    "Request-Id": { $ref: "#/components/headers/RequestId" },
    ...(route.method === "POST" ? { "Idempotent-Replayed": { $ref: "#/components/headers/IdempotentReplayed" } } : {}),
  };
  if (route.answers === "pdf") {
    const schema = { type: "string", format: "binary" };
    return { description: "The invoice, as a PDF.", headers, content: { "application/pdf": { schema } } };
  }
  const names = typeof route.answers === "string" ? [route.answers] : route.answers;
  const schemas = names.map((name) => `${name}${route.isList === true ? "List" : ""}`);
  const refs = schemas.map((name) => ({ $ref: `#/components/schemas/${name}` }));
  const examples = schemas.filter((name) => exampleNames.has(name));
  return {
    description: route.isList === true ? "A page of the list." : "The object.",
    headers,
    content: {
      "application/json": {
        schema: refs.length === 1 ? refs[0] : { anyOf: refs },
        ...(examples.length === 0
          ? {}
          : {
              examples: Object.fromEntries(examples.map((name) => [name, { $ref: `#/components/examples/${name}` }])),
            }),
      },
    },
  };
}

function failuresOf(route: Route): Record<string, object> {
  return Object.fromEntries(
    errorStatuses(route).map((status) => [status, { $ref: `#/components/responses/Error${status}` }]),
  );
}
