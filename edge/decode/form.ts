import { malformedBody, parameterConflict, tooDeep, tooManyParameters } from "../parameter-problems.ts";
import { type Branch, DEPTH_MAX, PARAMETERS_MAX, type Tree } from "./tree.ts";

/**
 * Reads a form or a query string: `a[b]=x`, `a[0]=x`, `a[]=x`, `a[][b]=x`, `+` as space; of a repeated key the last
 * value counts. Throws a Problem on broken percent-encoding, on a name used both for a value and for a group, and
 * beyond the limits. Ours and not qs: that one drops the rest of a form that is too long, turns a list beyond its limit
 * into an object, merges a value into a group of the same name and passes broken percent-encoding on.
 */
export function parseForm(text: string): Branch {
  const root: Branch = new Map();
  let count = 0;
  for (const pair of splitPairs(text)) {
    count += 1;
    if (count > PARAMETERS_MAX) throw tooManyParameters(PARAMETERS_MAX);
    const equals = pair.indexOf("=");
    const key = decodeText(equals < 0 ? pair : pair.slice(0, equals));
    place(root, splitKey(key), equals < 0 ? "" : decodeText(pair.slice(equals + 1)));
  }
  return root;
}

function* splitPairs(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf("&", start);
    const end = found < 0 ? text.length : found;
    if (end > start) yield text.slice(start, end);
    start = end + 1;
  }
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (cause) {
    throw malformedBody("it holds broken percent-encoding", cause);
  }
}

// A key whose brackets do not pair is taken as it is; no schema knows it, and it is refused by name.
function splitKey(key: string): string[] {
  if (!key.includes("[")) return [key];
  if (!/^[^[\]]+(?:\[[^[\]]*\])+$/.test(key)) return [key];
  const names = key.slice(0, -1).split(/\]?\[/);
  if (names.length > DEPTH_MAX) throw tooDeep(DEPTH_MAX);
  return names;
}

type Inner = Branch | Tree[];

function place(root: Branch, names: readonly string[], value: string): void {
  let node: Inner = root;
  for (const [index, name] of names.slice(0, -1).entries()) node = descend(node, names, index) ?? conflict(names, name);
  const last = names.at(-1) ?? "";
  if (Array.isArray(node)) node.push(value);
  else if (typeof (node.get(last) ?? "") === "string") node.set(last, value);
  else conflict(names, last);
}

function conflict(names: readonly string[], name: string): never {
  const [first = "", ...rest] = names.slice(0, names.indexOf(name) + 1);
  throw parameterConflict(first + rest.map((part) => `[${part}]`).join(""));
}

// Goes one name deeper, making what is not there yet; undefined when something of another kind is there. What follows
// decides the kind: `[]` asks for a list.
function descend(node: Inner, names: readonly string[], index: number): Inner | undefined {
  const name = names[index] ?? "";
  const next = names[index + 1] ?? "";
  const old = Array.isArray(node) ? reusable(node, next, index + 2 < names.length) : node.get(name);
  if (old === undefined) {
    const made: Inner = next === "" ? [] : new Map();
    if (Array.isArray(node)) node.push(made);
    else node.set(name, made);
    return made;
  }
  if (next === "") return Array.isArray(old) ? old : undefined;
  return old instanceof Map ? old : undefined;
}

// `a[][b]=1&a[][c]=2&a[][b]=3` is a list of two: a new item begins where a name would repeat (as Rack reads it).
function reusable(list: readonly Tree[], next: string, goesDeeper: boolean): Tree | undefined {
  const last = list.at(-1);
  return last instanceof Map && (!last.has(next) || goesDeeper) ? last : undefined;
}
