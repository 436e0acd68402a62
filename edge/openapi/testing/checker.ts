import { Ajv2020 } from "ajv/dist/2020.js";

/** Checks JSON against the schemas of an OpenAPI document; each gives what is wrong, nothing when all is well. */
export interface Checker {
  /** Against the schema at a path inside the document. */
  checkAt(path: readonly (number | string)[], value: unknown): string[];
  /** Against a schema of components, by its name. */
  checkObject(name: string, value: unknown): string[];
}

/**
 * Makes a checker. Objects are closed: the document leaves answers open, so that programs made from it stand new fields, but
 * a field that no schema has is a gap in the document.
 */
export function createChecker(document: object): Checker {
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });
  ajv.addSchema(closed(document) as object, "document");
  const checkAt: Checker["checkAt"] = (path, value) => {
    const pointer = path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
    const validate = ajv.getSchema(`document#${encodeURI(pointer)}`);
    if (validate === undefined) return [`the document has no schema at ${pointer}`];
    if (validate(value) === true) return [];
    // The first ones say enough: of a union, every alternative has its own.
    return (validate.errors ?? [])
      .slice(0, PROBLEMS_MAX)
      .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  };
  return { checkAt, checkObject: (name, value) => checkAt(["components", "schemas", name], value) };
}

const PROBLEMS_MAX = 5;

function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== "object" || node === null) return node;
  const copy: Record<string, unknown> = Object.fromEntries(
    Object.entries(node).map(([name, part]) => [name, closed(part)]),
  );
  const isObject = copy["type"] === "object" && Object.keys(Object(copy["properties"])).length > 0;
  return isObject ? { additionalProperties: false, ...copy } : copy;
}
