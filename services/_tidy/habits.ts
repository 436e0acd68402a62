import { childOf, childrenOf, type Finding, find, type Source, type SyntaxNode } from "./source.ts";

/** The one file that reads the environment. */
const environmentReader = "services/_runtime/config.ts";

/** The one file that asks the machine for the time. */
const timeReader = "services/_runtime/clock.ts";

/** Finds default exports: an import then says what it names, and a search finds it. */
export function findDefaultExports(source: Source): Finding[] {
  return source.nodes.flatMap((node) => {
    const isDefault =
      node.type === "ExportDefaultDeclaration" ||
      (node.type === "ExportSpecifier" && nameOf(childOf(node, "exported")) === "default");
    return isDefault ? [find(source, node, "exports a default")] : [];
  });
}

/** Finds readers of the environment outside of the one that checks and names every setting. */
export function findEnvironmentReaders(source: Source): Finding[] {
  if (source.path === environmentReader) return [];
  return source.nodes.flatMap((node) => {
    const isRead =
      (isMember(node, "process", "env") && node.type === "MemberExpression") ||
      (node.type === "ImportDeclaration" && /["'](node:)?process["']/.test(textOf(source, childOf(node, "source"))));
    return isRead ? [find(source, node, `reads process.env, which only ${environmentReader} does`)] : [];
  });
}

/** Finds readers of the machine's clock outside of the one that tests can replace. */
export function findTimeReaders(source: Source): Finding[] {
  if (source.path === timeReader) return [];
  return source.nodes.flatMap((node) => {
    const callee = childOf(node, "callee");
    const isDateCall =
      (node.type === "NewExpression" || node.type === "CallExpression") &&
      nameOf(callee) === "Date" &&
      childrenOf(node, "arguments").length === 0;
    const isRead = isDateCall || isMember(node, "Date", "now");
    return isRead ? [find(source, node, `asks the machine for the time, which only ${timeReader} does`)] : [];
  });
}

/** Finds what switches the compiler off: the type any, and the claim that something is never null. */
export function findUncheckedTypes(source: Source): Finding[] {
  return source.nodes.flatMap((node) => {
    if (node.type === "TSAnyKeyword") return [find(source, node, "says any")];
    if (node.type === "TSNonNullExpression" || node["definite"] === true) return [find(source, node, "claims with !")];
    return [];
  });
}

/** Finds notes to oneself: a known gap is written as a sentence where it is, or done. */
export function findNotesToSelf(source: Source): Finding[] {
  return Array.from(source.text.matchAll(/\b(TO[D]O|FIX[M]E)\b/g), (match) =>
    find(source, match.index, `says ${match[0]}`),
  );
}

/** Finds async hooks of every request: each costs a promise and a turn of the microtasks where a callback costs nothing. */
export function findAsyncHooks(source: Source): Finding[] {
  const hooks = /addHook\(\s*"(?:onRequest|pre\w+|onSend|onResponse)",\s*async\b/g;
  return Array.from(source.text.matchAll(hooks), (match) => find(source, match.index, "adds an async hook; call back"));
}

/** Finds exports without a doc comment. The further overloads of a function need none. */
export function findBareExports(source: Source): Finding[] {
  const documented = new Set<string>();
  return source.nodes.flatMap((node) => {
    const declaration = node.type === "ExportNamedDeclaration" ? childOf(node, "declaration") : undefined;
    if (declaration === undefined) return [];
    const names = namesOf(declaration);
    const isDocumented = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*(\/\/.*\n\s*)*$/.test(source.text.slice(0, node.start));
    if (isDocumented) for (const name of names) documented.add(name);
    return names
      .filter((name) => !documented.has(name))
      .map((name) => find(source, node, `exports ${name} without a doc comment`));
  });
}

/** Finds files named by what they are made of instead of for the one thing inside, or not in kebab-case. */
export function findVagueNames(source: Source): Finding[] {
  const file = source.path.slice(source.path.lastIndexOf("/") + 1);
  if (/^(utils?|helpers?|common|types|index)\b/.test(file)) return [`${source.path}:1 has a name that says nothing`];
  return /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.ts$/.test(file) ? [] : [`${source.path}:1 is not in kebab-case`];
}

function isMember(node: SyntaxNode, object: string, property: string): boolean {
  return nameOf(childOf(node, "object")) === object && nameOf(childOf(node, "property")) === property;
}

function namesOf(declaration: SyntaxNode): string[] {
  const declared = declaration.type === "VariableDeclaration" ? childrenOf(declaration, "declarations") : [declaration];
  return declared.map((node) => nameOf(childOf(node, "id")) ?? "something");
}

function nameOf(node: SyntaxNode | undefined): string | undefined {
  const name = node?.type === "Literal" ? node["value"] : node?.["name"];
  return typeof name === "string" ? name : undefined;
}

function textOf(source: Source, node: SyntaxNode | undefined): string {
  return node === undefined ? "" : source.text.slice(node.start, node.end);
}
