import { malformedBody } from "../parameter-problems.ts";
import { parseForm } from "./form.ts";
import { parseJson } from "./json.ts";
import { decodeUtf8 } from "./text.ts";
import type { Branch } from "./tree.ts";

/** A body as it has arrived, whole, with what its content type says it is. */
export interface UnreadBody {
  readonly kind: "form" | "json";
  readonly bytes: Uint8Array;
}

/** Reads a body; throws a Problem when it cannot be read. */
export function readBody({ kind, bytes }: UnreadBody): Branch {
  const text = decodeUtf8(bytes);
  return kind === "json" ? parseJson(text) : parseForm(text);
}

/** Reads the query of a URL as it stands after the first "?". */
export function readQuery(url: string): Branch {
  const start = url.indexOf("?");
  return parseForm(start < 0 ? "" : url.slice(start + 1));
}

/** Puts the query's parameters beside the body's; one given in both is refused. */
export function mergeParameters(query: Branch, body: Branch): Branch {
  if (query.size === 0) return body;
  for (const [name, tree] of query) {
    if (body.has(name)) throw malformedBody(`'${name}' is given both in the query and in the body`);
    body.set(name, tree);
  }
  return body;
}
