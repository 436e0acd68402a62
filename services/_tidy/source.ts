import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAst } from "vitest/node";

/** A node of a syntax tree, in the words of ESTree; where it stands is in UTF-16 units from the file's start. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** One file of ours, read and parsed. */
export interface Source {
  /** From the repository's root, with slashes: "services/reader/main.ts". */
  readonly path: string;
  readonly text: string;
  /** Every node, parents before children; empty for a file that is not TypeScript. */
  readonly nodes: readonly SyntaxNode[];
}

/** What a rule found: "path:line what is wrong", ready to be read and clicked. */
export type Finding = string;

/** The repository's root. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Reads the files, and those below the folders, whose name ends so; what does not exist has none. */
export function readSources(paths: readonly string[], ending: string): Source[] {
  return paths.flatMap(pathsBelow).flatMap((path) => {
    if (!path.endsWith(ending)) return [];
    return [parseSource(path, readFileSync(join(root, path), "utf8"))];
  });
}

/** Parses one file; throws with its path when it does not parse. */
export function parseSource(path: string, text: string): Source {
  if (!path.endsWith(".ts")) return { path, text, nodes: [] };
  const nodes: SyntaxNode[] = [];
  try {
    collect(parseAst(text, { lang: "ts" }), nodes);
  } catch (error) {
    throw new Error(`${path} does not parse`, { cause: error });
  }
  return { path, text, nodes };
}

/** Says that something is wrong where a node, or an offset, stands. */
export function find(source: Source, at: SyntaxNode | number, problem: string): Finding {
  return `${source.path}:${lineAt(source.text, typeof at === "number" ? at : at.start)} ${problem}`;
}

/** The number of the line, from 1, that an offset is in. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** A node's child, when that is one node. */
export function childOf(node: SyntaxNode, key: string): SyntaxNode | undefined {
  const child = node[key];
  return isNode(child) ? child : undefined;
}

/** A node's children under a key that holds a list. */
export function childrenOf(node: SyntaxNode, key: string): SyntaxNode[] {
  const children = node[key];
  return Array.isArray(children) ? children.filter(isNode) : [];
}

/** A node and everything below it, parents first. */
export function below(node: SyntaxNode): SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  collect(node, nodes);
  return nodes;
}

/** The text of a string literal; undefined for any other node. */
export function literalOf(node: SyntaxNode | undefined): string | undefined {
  return node?.type === "Literal" && typeof node["value"] === "string" ? node["value"] : undefined;
}

/** Says whether a file exists only for tests: a test, its support, a benchmark or a fault run. */
export function isForTests(path: string): boolean {
  const file = path.slice(path.lastIndexOf("/") + 1);
  return (
    file.endsWith(".test.ts") || /^(testing|arbitrary)\b/.test(file) || /\/(testing|bench|chaos|_tidy)\//.test(path)
  );
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function collect(value: unknown, nodes: SyntaxNode[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, nodes);
  } else if (isNode(value)) {
    nodes.push(value);
    for (const child of Object.values(value)) collect(child, nodes);
  }
}

function pathsBelow(path: string): string[] {
  if (!existsSync(join(root, path))) return [];
  if (statSync(join(root, path)).isFile()) return [path];
  const entries = readdirSync(join(root, path), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(root.length).split(sep).join("/")).sort();
}
