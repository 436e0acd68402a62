import type { FastifyInstance } from "fastify";
import { API_VERSION } from "../../services/_views/wire.ts";
import { pathsOf, type Route } from "../route.ts";
import { errorResponses, errorSchema, responseHeaders } from "./errors.ts";
import { readExamples } from "./examples.ts";
import { objectSchemas } from "./objects/objects.ts";
import { operationOf, tagOf, tags } from "./operation.ts";
import { namedParams } from "./params.ts";

/** Serves `/openapi.json`: the routes this edge has, with the very schemas that decode their parameters. */
export function serveOpenapi(app: FastifyInstance, routes: readonly Route[]): void {
  let document: string | undefined;
  app.get("/openapi.json", (_request, reply) => {
    document ??= JSON.stringify(createOpenapi(routes));
    return reply.type("application/json; charset=utf-8").send(document);
  });
}

/** Makes the OpenAPI 3.1 document of some routes. */
export function createOpenapi(routes: readonly Route[]): object {
  const params = namedParams();
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    for (const { path, operationId } of pathsOf(route)) {
      const name = path.replaceAll(/:(\w+)/g, "{$1}");
      paths[name] = { ...paths[name], [route.method.toLowerCase()]: operationOf(route, operationId, params) };
    }
  }
  const used = new Set(routes.map(tagOf));
  return {
    openapi: "3.1.0",
    info: {
      title: "Tripe",
      version: API_VERSION,
      description:
        "A payment processor that anyone can host. Its API is Stripe's, for what Tripe offers; " +
        "edge/DIFFERENCES.md says where it differs.",
      license: { name: "Apache 2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The host that serves this document." }],
    tags: tags.filter(({ name }) => used.has(name)),
    paths,
    components: {
      securitySchemes,
      headers: responseHeaders,
      parameters: { IdempotencyKey: idempotencyKey },
      responses: errorResponses,
      schemas: { ...objectSchemas, ...params.components, Error: errorSchema },
      examples: readExamples(),
    },
  };
}

const securitySchemes = {
  secretKey: {
    type: "http",
    scheme: "bearer",
    description: "A secret key (`sk_…`), or a restricted one (`rk_…`) with the scope that the operation names.",
  },
  secretKeyAsUser: {
    type: "http",
    scheme: "basic",
    description: "The same key as the user name, with no password.",
  },
  publishableKey: {
    type: "http",
    scheme: "bearer",
    description: "A publishable key (`pk_…`), which may stand in web pages.",
  },
};

const idempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "Makes it safe to send the request again: it is carried out once, and answered alike each time. " +
    "Any text of 1 to 255 printable ASCII characters, the same for the same request and for no other.",
  schema: { type: "string", minLength: 1, maxLength: 255 },
};
