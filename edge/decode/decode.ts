import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/schema";
import { holdsCardNumber } from "../../services/_runtime/card-number.ts";
import { isAddress } from "../../services/_runtime/email-address.ts";
import { assert } from "../../services/_runtime/errors.ts";
import {
  cardNumberInText,
  emailInvalid,
  integerOutOfRange,
  invalidChoice,
  invalidForm,
  invalidInteger,
  invalidKind,
  parameterEmpty,
  parameterMissing,
  parametersUnknown,
  textNotStorable,
  textTooLong,
  tooManyItems,
  valueNotCarriedOut,
} from "../parameter-problems.ts";
import { refused } from "../problems.ts";
import { countCharacters, isStorable } from "./text.ts";
import { type Branch, bracketed, type Tree } from "./tree.ts";

/**
 * Makes a request's parameters into what a schema says: text into numbers and booleans, numbered parts into lists, empty
 * values into null where the schema lets them. Throws a Problem with Stripe's code and the parameter's name; unknown
 * names come first, then each field in the schema's order. Never lets through what the schema would not.
 */
export function decode<S extends TSchema>(schema: S, tree: Branch): Static<S> {
  const value = walk(schema, tree, "");
  assert(isOf(schema, value), "the decoder makes what the schema says");
  return value;
}

const checks = new WeakMap<TSchema, (value: unknown) => boolean>();

// Compiled at first use, which takes some milliseconds: interpreting a schema takes 15 µs a request, the compiled check 0.05.
function isOf<S extends TSchema>(schema: S, value: unknown): value is Static<S> {
  const known = checks.get(schema);
  if (known !== undefined) return known(value);
  const validator = Compile(schema);
  checks.set(schema, (one) => validator.Check(one));
  return validator.Check(value);
}

/** The words of JSON Schema that our schemas use, and no others. */
interface Node {
  readonly type?: string;
  readonly anyOf?: readonly Node[];
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Node;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly patternProperties?: Readonly<Record<string, Node>>;
  readonly propertyNames?: { readonly maxLength?: number };
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly "x-ignored"?: Readonly<Record<string, string>>;
  readonly "x-expected"?: string;
  readonly "x-email"?: boolean;
  readonly "x-sought"?: boolean;
  readonly "x-card-number"?: boolean;
  readonly "x-free"?: boolean;
}

function walk(node: Node, tree: Tree, path: string): unknown {
  const isEmpty = tree === null || tree === "";
  if (node.anyOf !== undefined) return walkUnion(node.anyOf, isEmpty ? null : tree, path);
  if (isEmpty) throw parameterEmpty(path);
  switch (node.type) {
    case "string":
      return node.enum === undefined ? toText(node, tree, path) : toChoice(node.enum, tree, path);
    case "integer":
      return toInteger(node, tree, path);
    case "boolean":
      return toBoolean(node, tree, path);
    case "array":
      return toList(node, tree, path);
    case "object":
      return node.patternProperties === undefined ? toGroup(node, tree, path) : toRecord(node, tree, path);
    default:
      throw new Error(`assertion failed: no decoder for a schema of type ${node.type ?? "none"}`);
  }
}

// A union holds at most one alternative of each shape: null, a scalar, a group or record, a list.
function walkUnion(alternatives: readonly Node[], tree: Tree, path: string): unknown {
  const filled = alternatives.filter((node) => node.type !== "null");
  if (tree === null) {
    if (filled.length < alternatives.length) return null;
    throw parameterEmpty(path);
  }
  const isNested = tree instanceof Map || Array.isArray(tree);
  const [first] = filled;
  const chosen = filled.find((node) => isNested === (node.type === "object" || node.type === "array")) ?? first;
  assert(chosen !== undefined, "a union has an alternative beside null");
  return walk(chosen, tree, path);
}

function toText(node: Node, tree: Tree, path: string): string {
  const value = scalarText(node, tree, path);
  if (node["x-email"] === true && !isAddress(value)) throw emailInvalid(path);
  const max = node.maxLength ?? Number.POSITIVE_INFINITY;
  if (countCharacters(value, max) > max) throw textTooLong(path, max);
  if (!isStorable(value) && node["x-sought"] !== true) throw textNotStorable(path);
  // With its name, as a form has it: a telephone number may look like a card's.
  if (node["x-card-number"] !== true && holdsCardNumber(`${path}=${value}`)) throw cardNumberInText(path);
  if (node.pattern !== undefined && !new RegExp(node.pattern).test(value)) {
    throw invalidForm(path, node["x-expected"] ?? "of another form");
  }
  return value;
}

// JSON may say 1.5 where text is wanted, as a form would; numbers that JSON cannot carry unharmed are refused. True and false
// are words in a merchant's own data alone: elsewhere (a card's number, a name, an id) they are a slip of the program.
function scalarText(node: Node, tree: Tree, path: string): string {
  if (typeof tree === "string") return tree;
  if (typeof tree === "boolean" && node["x-free"] === true) return String(tree);
  const isExact = typeof tree === "number" && Number.isFinite(tree) && Math.abs(tree) <= Number.MAX_SAFE_INTEGER;
  if (isExact) return String(tree);
  throw invalidKind(path, "string");
}

function toChoice(allowed: readonly string[], tree: Tree, path: string): string {
  if (typeof tree === "string" && allowed.includes(tree)) return tree;
  throw invalidChoice(path, allowed);
}

function toInteger(node: Node, tree: Tree, path: string): number {
  const isNumeral = typeof tree === "string" && /^-?\d{1,17}$/.test(tree);
  const value = isNumeral ? Number(tree) : tree;
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw invalidInteger(path, describe(tree));
  if (node.minimum !== undefined && value < node.minimum) throw integerOutOfRange(path, { minimum: node.minimum });
  if (node.maximum !== undefined && value > node.maximum) throw integerOutOfRange(path, { maximum: node.maximum });
  // "-0" is a number to JavaScript and none to anybody else.
  return value === 0 ? 0 : value;
}

function describe(tree: Tree): string {
  if (Array.isArray(tree)) return "[…]";
  return tree instanceof Map ? "{…}" : String(tree);
}

// SDKs of before 2025 send Python's spelling, True and False; no letter's case makes another word of it.
const truths: Readonly<Record<string, boolean>> = { true: true, false: false };

function toBoolean(node: Node, tree: Tree, path: string): boolean {
  const value =
    typeof tree === "string" && Object.hasOwn(truths, tree.toLowerCase()) ? truths[tree.toLowerCase()] : tree;
  if (typeof value !== "boolean") throw invalidKind(path, "boolean");
  if (node.const !== undefined && node.const !== value) throw valueNotCarriedOut(path, String(node.const));
  return value;
}

function toList(node: Node, tree: Tree, path: string): unknown[] {
  const items = Array.isArray(tree) ? tree : numberedParts(tree, path);
  const max = node.maxItems ?? Number.POSITIVE_INFINITY;
  if (items.length > max) throw tooManyItems(path, max);
  if (items.length < (node.minItems ?? 0)) throw parameterEmpty(path);
  const itemNode = node.items;
  assert(itemNode !== undefined, "a list has a schema for its items");
  return items.map((item, index) => walk(itemNode, item, bracketed(path, index)));
}

// Places need not be without gaps, nor in order: `a[5]=x&a[2]=y` is the list y, x.
function numberedParts(tree: Tree, path: string): Tree[] {
  if (!(tree instanceof Map)) throw invalidKind(path, "array");
  const parts = [...tree].map(([name, item]) => ({ place: /^\d{1,9}$/.test(name) ? Number(name) : Number.NaN, item }));
  if (parts.some(({ place }) => Number.isNaN(place))) throw invalidKind(path, "array");
  return parts.sort((a, b) => a.place - b.place).map(({ item }) => item);
}

function toGroup(node: Node, tree: Tree, path: string): Record<string, unknown> {
  if (!(tree instanceof Map)) throw invalidKind(path, "object");
  const properties = node.properties ?? {};
  const ignored = node["x-ignored"] ?? {};
  const isKnown = (name: string) => Object.hasOwn(properties, name) || Object.hasOwn(ignored, name);
  const unknown = [...tree.keys()].filter((name) => !isKnown(name));
  if (unknown.length > 0) throw parametersUnknown(unknown.map((name) => bracketed(path, name)));
  const fields: [string, unknown][] = [];
  for (const [name, field] of Object.entries(properties)) {
    const item = tree.get(name);
    if (item !== undefined) fields.push([name, walk(field, item, bracketed(path, name))]);
    else if (node.required?.includes(name)) throw parameterMissing(bracketed(path, name));
  }
  return Object.fromEntries(fields);
}

function toRecord(node: Node, tree: Tree, path: string): Record<string, unknown> {
  if (!(tree instanceof Map)) throw invalidKind(path, "object");
  const [valueNode] = Object.values(node.patternProperties ?? {});
  assert(valueNode !== undefined, "a record has a schema for its values");
  const max = node.maxProperties ?? Number.POSITIVE_INFINITY;
  if (tree.size > max) throw refused({ message: `'${path}' can have at most ${max} keys.`, param: path });
  const fields = [...tree].map(([name, item]): [string, unknown] => {
    checkKey(node, name, path);
    return [name, walk(valueNode, item, bracketed(path, name))];
  });
  return Object.fromEntries(fields);
}

// `__proto__` would be lost in the generated messages, which are plain objects: refused rather than dropped.
function checkKey(node: Node, name: string, path: string): void {
  const max = node.propertyNames?.maxLength ?? Number.POSITIVE_INFINITY;
  const message = `Invalid key in '${path}': keys have 1 to ${max} characters, no square brackets and no control characters.`;
  const isAllowed = name !== "" && name !== "__proto__" && isStorable(name) && !/[[\]]/.test(name);
  if (!isAllowed || countCharacters(name, max) > max) throw refused({ message, param: path });
  if (holdsCardNumber(name)) throw cardNumberInText(path);
}
