import type { Asked, Reply } from "../../testing/tripe.ts";
import type { Checker } from "./checker.ts";

/** A request of an operation: the id in its path, its query, its body. */
export interface Wanted {
  readonly id?: unknown;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly key?: string;
}

interface Parameter {
  readonly name?: string;
  readonly in?: string;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

/** An OpenAPI document, as far as it is read here. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Asks operations, and keeps what was asked and answered. */
export interface Recorder {
  /** Asks an operation; its request and its answer have to be what the document says. */
  call(operationId: string, wanted?: Wanted): Promise<Reply["body"]>;
  /** The operations that were answered with a 200. */
  readonly answered: Set<string>;
  /** What is wrong, in words. */
  readonly problems: string[];
  /** The first answer of each schema, and of each failure. */
  readonly examples: Map<string, unknown>;
}

/** Makes a recorder that finds operations in the document and asks them with `ask`. */
export function createRecorder(
  document: ApiDocument,
  { ask, checker }: { ask(asked: Asked): Promise<Reply>; checker: Checker },
): Recorder {
  const answered = new Set<string>();
  const problems: string[] = [];
  const examples = new Map<string, unknown>();
  const places = placesOf(document);
  const call: Recorder["call"] = async (operationId, { id, query = {}, body, key } = {}) => {
    const place = places.get(operationId);
    if (place === undefined) throw new Error(`the document has no ${operationId}`);
    const { method, operation, path } = place;
    const note = (what: string) => (problem: string) => problems.push(`${operationId} ${what}: ${problem}`);
    checkQuery(operation, query).forEach(note("query"));
    const at = ["paths", path, method];
    const json = "application/json";
    if (body !== undefined) {
      checker.checkAt([...at, "requestBody", "content", json, "schema"], body).forEach(note("body"));
    }
    const search = new URLSearchParams(query).toString();
    const reply = await ask({
      method: method.toUpperCase() as "GET",
      url: `${path.replace("{id}", String(id))}${search === "" ? "" : `?${search}`}`,
      ...(body === undefined ? {} : { payload: body }),
      ...(key === undefined ? {} : { key }),
    });
    const { status } = reply;
    const response = operation.responses[status];
    if (response === undefined) note("answer")(`${status} is not in the document: ${JSON.stringify(reply.body)}`);
    else if (status !== 200) {
      checker.checkObject("Error", reply.body).forEach(note(String(status)));
      if (!examples.has(`Error${status}`)) examples.set(`Error${status}`, reply.body);
    } else {
      answered.add(operationId);
      const [type] = Object.keys(response.content ?? {});
      if (String(reply.headers["content-type"]).split(";", 1)[0] !== type) note("type")(String(type));
      if (type !== json) return reply.body;
      const found = checker.checkAt([...at, "responses", 200, "content", json, "schema"], reply.body);
      found.forEach(note("answer"));
      const name = schemasOf(response).find((one) => checker.checkObject(one, reply.body).length === 0);
      if (name !== undefined && !examples.has(name)) examples.set(name, reply.body);
    }
    return reply.body;
  };
  return { call, answered, problems, examples };
}

/** Where each operation stands, by its id. */
export function placesOf({ paths }: ApiDocument) {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, operation, path })),
  );
  return new Map(all.map((place) => [place.operation.operationId, place]));
}

/** The names of the schemas that a response may have. */
function schemasOf(response: object): string[] {
  return [...JSON.stringify(response).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = ""]) => name);
}

function checkQuery({ parameters = [] }: Operation, query: object): string[] {
  const names = new Set(parameters.filter((one) => one.in === "query").map(({ name }) => name));
  return Object.keys(query).filter((name) => !names.has(name) && !names.has(name.replace(/\[\w+\]$/, "")));
}
