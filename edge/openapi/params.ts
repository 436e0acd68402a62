import type { TSchema } from "typebox";
import { tokenCard } from "../cards.ts";
import { address, metadata, shipping } from "../decode/fields.ts";
import { expandPathsOf } from "../expand.ts";
import type { Route } from "../route.ts";

/** A JSON Schema, of the kinds that parameters have. */
export interface ParamSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly anyOf?: readonly ParamSchema[];
  readonly items?: ParamSchema;
  readonly properties?: Readonly<Record<string, ParamSchema>>;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

/** The schemas of parameters that stand in many routes, collected while routes are published. */
export interface NamedParams {
  readonly names: ReadonlyMap<unknown, string>;
  readonly components: Record<string, ParamSchema>;
}

/** Starts a document's collection. */
export function namedParams(): NamedParams {
  const names = new Map<unknown, string>([
    [address, "AddressParams"],
    [Object(metadata).anyOf[0], "MetadataParams"],
    [shipping, "ShippingParams"],
    [tokenCard, "TokenCardParams"],
  ]);
  return { names, components: {} };
}

type Published = Pick<Route, "answers" | "expandable" | "isList" | "params">;

/** The query parameters of a route. Lists of scalars have names that end in "[]", as the decoder and every SDK have them. */
export function publishQuery(route: Published, named: NamedParams): object[] {
  const { properties = {}, required = [] } = publishRoute(route, named);
  return Object.entries(properties).map(([name, schema]) => ({
    name: isScalarList(schema) ? `${name}[]` : name,
    in: "query",
    required: required.includes(name),
    ...styleOf(schema),
    schema,
  }));
}

/** The body of a route: as JSON, or as a form whose lists of scalars have names that end in "[]". */
export function publishBody(route: Published, named: NamedParams): object {
  const schema = publishRoute(route, named);
  const form = formOf(schema);
  const { properties: fields = {} } = form;
  const encoded = Object.entries(fields).flatMap(([name, field]) => {
    const style = styleOf(field);
    return "style" in style ? [[name, style]] : [];
  });
  const encoding = encoded.length === 0 ? {} : { encoding: Object.fromEntries(encoded) };
  return {
    required: (schema.required ?? []).length > 0,
    content: { "application/json": { schema }, "application/x-www-form-urlencoded": { schema: form, ...encoding } },
  };
}

function publishRoute(route: Published, named: NamedParams): ParamSchema {
  const published = publish(route.params, named);
  const { expand, ...properties } = published.properties ?? {};
  const paths = expandPathsOf(route);
  if (expand === undefined || paths.length === 0) return { ...published, properties };
  const items = { type: "string", enum: paths };
  const description = "Which fields to show whole instead of by their ids.";
  return { ...published, properties: { ...properties, expand: { ...expand, description, items } } };
}

/** Makes a schema of the decoder's into one for programs of others: the same values, in JSON Schema's own words. */
function publish(schema: TSchema | ParamSchema, named: NamedParams): ParamSchema {
  const name = named.names.get(schema);
  if (name === undefined) return publishNode(schema as ParamSchema, named);
  named.components[name] ??= publishNode(schema as ParamSchema, named);
  return { $ref: `#/components/schemas/${name}` };
}

function publishNode(node: ParamSchema, named: NamedParams): ParamSchema {
  if (node.anyOf !== undefined) return publishUnion(node.anyOf, named);
  const { "x-card-number": _card, "x-free": _free, "x-email": isEmail, "x-expected": expected, ...kept } = node;
  if (node.type === "string") {
    return {
      ...kept,
      // The decoder takes an empty text for an attempt to unset a parameter.
      ...(node["enum"] === undefined ? { minLength: 1 } : {}),
      ...(isEmail === true ? { format: "email" } : {}),
      ...(typeof expected === "string" ? { description: `Must be ${expected}.` } : {}),
    };
  }
  if (node.items !== undefined) return { ...kept, items: publish(node.items, named) };
  return node.type === "object" ? publishObject(kept, named) : kept;
}

/** What may be unset is unset by an empty text or, in JSON, by null. */
function publishUnion(alternatives: readonly ParamSchema[], named: NamedParams): ParamSchema {
  const filled = alternatives.filter(({ type }) => type !== "null").map((one) => publish(one, named));
  if (filled.length === alternatives.length) return { anyOf: filled };
  // A text that a list is searched for may be any, and an empty one finds nothing.
  if (alternatives.some((one) => one["x-sought"] === true)) return { type: "string" };
  named.components["Unset"] ??= { description: "Unsets the parameter.", enum: ["", null] };
  return { anyOf: [...filled, { $ref: "#/components/schemas/Unset" }] };
}

function publishObject(node: ParamSchema, named: NamedParams): ParamSchema {
  const { "x-ignored": ignored, patternProperties, ...kept } = node;
  const [values] = Object.values(Object(patternProperties)) as ParamSchema[];
  if (values !== undefined) return { ...kept, additionalProperties: publish(values, named) };
  const properties = Object.entries(node.properties ?? {}).map(([name, field]) => [name, publish(field, named)]);
  const unused = Object.entries(Object(ignored)).map(([name, reason]) => [
    name,
    { description: `Accepted without effect. ${String(reason)}` },
  ]);
  return { ...kept, properties: Object.fromEntries([...properties, ...unused]) };
}

/** The same parameters as a form has them. */
function formOf(schema: ParamSchema): ParamSchema {
  const rename = (name: string) => (isScalarList(schema.properties?.[name]) ? `${name}[]` : name);
  const properties = Object.entries(schema.properties ?? {}).map(([name, field]) => [rename(name), field]);
  const { required } = schema;
  return {
    ...schema,
    properties: Object.fromEntries(properties),
    ...(required === undefined ? {} : { required: required.map(rename) }),
  };
}

function isScalarList(schema: ParamSchema | undefined): boolean {
  return schema?.type === "array" && schema.items?.type !== "object";
}

/** How a parameter is written in a query or a form, where that is not by its name and value alone. */
function styleOf(schema: ParamSchema): object {
  if (isScalarList(schema)) return { style: "form", explode: true };
  return isNested(schema) ? { style: "deepObject", explode: true } : {};
}

function isNested({ $ref, anyOf, type }: ParamSchema): boolean {
  return (
    ($ref !== undefined && !$ref.endsWith("/Unset")) ||
    type === "object" ||
    type === "array" ||
    anyOf?.some(isNested) === true
  );
}
