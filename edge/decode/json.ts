import { malformedBody, parameterRepeated, tooDeep, tooManyParameters } from "../parameter-problems.ts";
import { findRepeatedKey } from "./repeated-key.ts";
import { type Branch, DEPTH_MAX, PARAMETERS_MAX, type Tree } from "./tree.ts";

/** Reads a JSON body, which must be an object; nothing at all counts as `{}`. Throws a Problem on anything else. */
export function parseJson(text: string): Branch {
  const value: unknown = text.trim() === "" ? {} : parse(text);
  const tree = toTree(value, 0, { left: PARAMETERS_MAX });
  if (!(tree instanceof Map)) throw malformedBody("a JSON body must be an object");
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined) throw parameterRepeated(repeated);
  return tree;
}

// V8's message quotes the text, which may hold a card number: it is not passed on, not even as a cause.
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformedBody("it is not valid JSON");
  }
}

function toTree(value: unknown, depth: number, budget: { left: number }): Tree {
  if (depth > DEPTH_MAX) throw tooDeep(DEPTH_MAX);
  if (Array.isArray(value)) return value.map((item) => toTree(item, depth + 1, budget));
  if (typeof value === "object" && value !== null) {
    return new Map(Object.entries(value).map(([name, item]) => [name, toTree(item, depth + 1, budget)]));
  }
  budget.left -= 1;
  if (budget.left < 0) throw tooManyParameters(PARAMETERS_MAX);
  return isScalar(value) ? value : null;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
