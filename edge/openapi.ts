import type { FastifyInstance } from "fastify";
import type { TObject } from "typebox";
import { API_VERSION } from "../services/_views/wire.ts";
import type { Route } from "./route.ts";

/** Serves `/openapi.json`: the routes this edge has, with the very schemas that decode their parameters. */
export function serveOpenapi(app: FastifyInstance, routes: readonly Route[]): void {
  const document = JSON.stringify(createOpenapi(routes));
  app.get("/openapi.json", (_request, reply) => reply.type("application/json; charset=utf-8").send(document));
}

/** Makes the OpenAPI 3.1 document of some routes. */
export function createOpenapi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    for (const path of [route.path, ...(route.aliases ?? [])]) {
      const name = path.replaceAll(/:(\w+)/g, "{$1}");
      paths[name] = { ...paths[name], [route.method.toLowerCase()]: operationOf(route) };
    }
  }
  return {
    openapi: "3.1.0",
    info: { title: "Tripe", version: API_VERSION },
    security: [{ bearer: [] }, { basic: [] }],
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" }, basic: { type: "http", scheme: "basic" } },
      schemas: { Error: errorSchema },
    },
    paths,
  };
}

const errorSchema = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["type", "message"],
      properties: Object.fromEntries(
        ["type", "message", "code", "param", "decline_code", "charge"].map((name) => [name, { type: "string" }]),
      ),
    },
  },
};

function operationOf(route: Route): object {
  const pathIds = route.path.includes(":id")
    ? [{ name: "id", in: "path", required: true, schema: { type: "string", maxLength: 64 } }]
    : [];
  const isPost = route.method === "POST";
  return {
    summary: route.summary,
    parameters: [...pathIds, ...(isPost ? [] : queryOf(route.params))],
    ...(isPost ? { requestBody: bodyOf(route.params) } : {}),
    responses: {
      200: { description: "The object, or the list.", content: { "application/json": { schema: { type: "object" } } } },
      default: {
        description: "Why not.",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  };
}

function queryOf({ properties, required }: { properties: object; required?: readonly string[] }): object[] {
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required?.includes(name) === true,
    style: "deepObject",
    explode: true,
    schema,
  }));
}

function bodyOf(schema: TObject): object {
  return {
    content: {
      "application/x-www-form-urlencoded": { schema, encoding: {} },
      "application/json": { schema },
    },
  };
}
