import { createConfig, lintFromString } from "@redocly/openapi-core";
import { expect, test } from "vitest";
import { actionRoutes, sharedRoutes } from "../actions/actions.ts";
import { decode } from "../decode/decode.ts";
import { group } from "../decode/fields.ts";
import { readExpand } from "../expand.ts";
import { keyResources } from "../key-scopes.ts";
import { Problem } from "../problem.ts";
import { pathsOf } from "../route.ts";
import { createOpenapi } from "./openapi.ts";
import type { ParamSchema } from "./params.ts";
import { createChecker } from "./testing/checker.ts";

const routes = [...Object.values(actionRoutes).flat(), ...sharedRoutes];
const text = JSON.stringify(createOpenapi(routes));
const document = JSON.parse(text) as Document;
const checker = createChecker(document);

interface Parameter extends ParamSchema {
  readonly name: string;
  readonly in: string;
  readonly style?: string;
  readonly explode?: boolean;
  readonly schema: ParamSchema;
}

interface Body {
  readonly schema: ParamSchema;
  readonly encoding?: Readonly<Record<string, { readonly style: string; readonly explode: boolean }>>;
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Body>> };
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly responses: Readonly<Record<string, { readonly content?: object }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, operation, path })),
);

test("the document is valid OpenAPI 3.1, and its examples are what its schemas say", async () => {
  const rules = { "no-invalid-media-type-examples": "error", "no-invalid-schema-examples": "error" } as const;
  const config = await createConfig({ extends: ["recommended"], rules });
  const problems = await lintFromString({ source: text, config });
  expect(problems.map(({ location, message, ruleId }) => [ruleId, message, location[0]?.pointer])).toEqual([]);
});

test("every route is one operation under each of its names, with an id of its own, a tag and a summary", () => {
  expect(operations.length).toBe(routes.flatMap(pathsOf).length);
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { operation } of operations) {
    expect(operation.operationId).toMatch(/^[a-z]+(?:[A-Z][a-z]+)+$/);
    expect(keyResources).toContain(operation.tags[0]);
    expect(operation.summary).toMatch(/^[A-Z].*\.$/);
  }
});

test("a list in a query has a name that ends in [] and is repeated, and nothing else has such a name (F12)", () => {
  const queries = operations.flatMap(({ operation }) => operation.parameters ?? []).filter((one) => one.in === "query");
  expect(queries.length).toBeGreaterThan(50);
  for (const { explode, name, schema, style } of queries) {
    const isList = schema.type === "array";
    expect([name, isList]).toEqual([name, name.endsWith("[]")]);
    if (isList) expect([name, style, explode]).toEqual([name, "form", true]);
    else if (name === "created") expect([style, explode]).toEqual(["deepObject", true]);
    else expect([name, style]).toEqual([name, undefined]);
  }
});

test("a form says of every group in it that it is written in brackets, and has the names of its JSON (F14)", () => {
  const bodies = operations.flatMap(({ operation }) => (operation.requestBody ? [operation.requestBody.content] : []));
  expect(bodies.length).toBeGreaterThan(30);
  for (const { "application/json": json, "application/x-www-form-urlencoded": form } of bodies) {
    const names = Object.keys(form?.schema.properties ?? {}).map((name) => name.replace("[]", ""));
    expect(names).toEqual(Object.keys(json?.schema.properties ?? {}));
    for (const [name, schema] of Object.entries(form?.schema.properties ?? {})) {
      const style = form?.encoding?.[name]?.style;
      if (/"object"|schemas\/\w+Params/.test(JSON.stringify(schema)))
        expect([name, style]).toEqual([name, "deepObject"]);
      else expect([name, style]).toEqual([name, name.endsWith("[]") ? "form" : undefined]);
    }
  }
});

test("a PDF is a PDF (F13)", () => {
  const content = document.paths["/v1/invoices/{id}/pdf"]?.["get"]?.responses["200"]?.content;
  expect(content).toEqual({ "application/pdf": { schema: { type: "string", format: "binary" } } });
});

test("the document allows an empty text where the decoder takes it, and nowhere else (F14)", () => {
  let count = 0;
  for (const { method, params, path } of routes) {
    const at = ["paths", path.replaceAll(/:(\w+)/g, "{$1}"), method.toLowerCase()];
    const names = Object.keys(params.properties).filter((name) => name !== "expand");
    for (const name of names) {
      const field = params.properties[name];
      if (field === undefined) throw new Error(`${path} has no ${name}`);
      const isRefused = problemOf(() => decode(group({ [name]: field }), new Map([[name, ""]]))) !== undefined;
      const problems = checker.checkAt([...at, ...placeOf(path, method, name)], "");
      expect([path, name, problems.length > 0]).toEqual([path, name, isRefused]);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(200);
});

function placeOf(path: string, method: string, name: string): (number | string)[] {
  if (method === "POST") return ["requestBody", "content", "application/json", "schema", "properties", name];
  const { parameters = [] } = document.paths[path.replaceAll(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()] ?? {};
  return ["parameters", parameters.findIndex((one) => one.name === name || one.name === `${name}[]`), "schema"];
}

function problemOf(work: () => unknown): Problem | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

test("what can be expanded is an enum for each route, of just what it expands (F14)", () => {
  for (const route of routes) {
    const [place] = pathsOf(route);
    const operation = document.paths[place?.path.replaceAll(/:(\w+)/g, "{$1}") ?? ""]?.[route.method.toLowerCase()];
    const query = operation?.parameters?.find(({ name }) => name === "expand[]")?.schema;
    const body = operation?.requestBody?.content["application/json"]?.schema.properties?.["expand"];
    const paths = ((query ?? body)?.items?.["enum"] ?? []) as string[];
    for (const path of paths) expect(problemOf(() => readExpand(route, [path]))).toBeUndefined();
    expect(problemOf(() => readExpand(route, ["data.nothing"]))?.error.param).toBe("expand");
    const own = route.expandable.map((path) => (route.isList === true ? `data.${path}` : path));
    if ("expand" in route.params.properties) expect(paths).toEqual(expect.arrayContaining(own));
  }
});

test("a field that is always null can be expanded where the object has it, and nowhere else", () => {
  const charge = { answers: "Charge", expandable: [] } as const;
  expect([...readExpand(charge, ["review"])]).toEqual(["review"]);
  expect([...readExpand({ ...charge, isList: true }, ["data.review"])]).toEqual(["review"]);
  expect(problemOf(() => readExpand({ ...charge, answers: "Token" }, ["review"]))?.error).toMatchObject({
    message: expect.stringContaining("cannot be expanded (review)"),
  });
});

test("a publishable key is named by the operations that take it, and a restricted key's scope by all", () => {
  const taken = operations.filter(({ operation }) => operation.security.some((one) => "publishableKey" in one));
  expect(taken.map(({ operation }) => operation.operationId)).toEqual(["createToken", "createPaymentMethod"]);
  expect(document.paths["/v1/charges"]?.["post"]?.security[0]).toEqual({ secretKey: ["charges:write"] });
});

test("an operation lists the failures that it can have, all in one envelope", () => {
  const statusesOf = (path: string, method: string) => Object.keys(document.paths[path]?.[method]?.responses ?? {});
  const always = ["400", "401", "403", "429", "500", "503", "default"];
  expect(statusesOf("/v1/charges", "get")).toEqual(["200", ...always]);
  expect(statusesOf("/v1/charges", "post")).toEqual(["200", ...always, "402", "409"].toSorted());
  expect(statusesOf("/v1/charges/{id}", "get")).toEqual(["200", ...always, "404"].toSorted());
});
