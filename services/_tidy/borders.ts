import { posix } from "node:path";
import { serviceNames } from "../_runtime/topology.ts";
import { childOf, type Finding, find, isForTests, literalOf, type Source, type SyntaxNode } from "./source.ts";

// The imports of 1-architecture.md, "Layout", beside a folder's own. What the page leaves open (_views, _billing, _audit,
// _supervisor) is what those folders are there for: words, arithmetic, a proof that reads the database, and starting it.
const allowed: Readonly<Record<string, readonly string[]>> = {
  gen: [],
  _runtime: ["gen"],
  // Rows become messages there, so that the reader and the writer say the same of them.
  _database: ["_runtime", "gen"],
  _views: ["_runtime", "gen"],
  _billing: ["_runtime", "gen"],
  _audit: ["_database", "_runtime", "gen"],
  _backup: ["_database", "_runtime", "gen"],
  _supervisor: ["_database", "_runtime", "gen"],
  ...Object.fromEntries(serviceNames.map((name) => [name, ["_runtime", "gen"]])),
  reader: ["_database", "_runtime", "gen"],
  // What a subscription's end bills is worked out in the commit that ends it.
  writer: ["_billing", "_database", "_runtime", "gen"],
  transactions: ["_billing", "_runtime", "gen"],
  scheduler: ["_billing", "_runtime", "gen"],
  webhooks: ["_views", "_runtime", "gen"],
  edge: ["_billing", "_views", "_runtime", "gen"],
};

/** Where each package that has a home may be imported; every other package may be imported anywhere. */
const homes: Readonly<Record<string, readonly string[]>> = {
  pdfkit: ["pdf"],
  nodemailer: ["mailer"],
  kysely: ["_database", "reader", "writer"],
  pg: ["_backup", "_database", "reader", "writer"],
  fastify: ["edge"],
  "@peculiar/x509": ["_runtime"],
};

/**
 * Finds imports across a border. Files in `services/` itself (all.ts) wire everything and may import any folder; so may
 * tests and their support, which need the real other side of a call. Nobody at all imports a main.ts, and nothing that
 * runs in production imports what is there for tests.
 */
export function findBorderCrossings(source: Source): Finding[] {
  return importsOf(source).flatMap(({ node, specifier }) => {
    const problem = specifier.startsWith(".") ? problemOfPath(source, specifier) : problemOfPackage(source, specifier);
    return problem === undefined ? [] : [find(source, node, problem)];
  });
}

/** Says which folder of the layout a file belongs to: "reader", "_runtime", "edge", "gen", or "" for services/ itself. */
export function folderOf(path: string): string {
  const [top = "", second = "", ...rest] = path.split("/");
  if (top !== "services") return top;
  return rest.length === 0 ? "" : second;
}

function problemOfPath(source: Source, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(source.path), specifier);
  if (target.endsWith("/main.ts")) return `imports ${target}: nobody imports a main.ts`;
  const [from, to] = [folderOf(source.path), folderOf(target)];
  if (isForTests(source.path)) return undefined;
  if (isForTests(target)) return `imports ${target}, which is there for tests`;
  if (from === to || from === "" || allowed[from]?.includes(to) === true) return undefined;
  return `imports ${target}: ${from} may import ${["its own folder", ...(allowed[from] ?? [])].join(", ")}`;
}

function problemOfPackage(source: Source, specifier: string): string | undefined {
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  const home = Object.hasOwn(homes, name) ? homes[name] : undefined;
  if (home === undefined || home.includes(folderOf(source.path))) return undefined;
  return `imports ${name}: that is for ${home.join(", ")} only`;
}

function importsOf(source: Source): { node: SyntaxNode; specifier: string }[] {
  return source.nodes.flatMap((node) => {
    const isImport = /^(Import(Declaration|Expression)|Export(Named|All)Declaration|TSImportType)$/.test(node.type);
    const specifier = isImport ? literalOf(childOf(node, "source") ?? childOf(node, "argument")) : undefined;
    return specifier === undefined ? [] : [{ node, specifier }];
  });
}
