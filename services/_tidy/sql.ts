import { childOf, type Finding, find, type Source } from "./source.ts";

// The ways Postgres has to ask for the time. A query has two: business_now(), in which everything that merchants see happens,
// and statement_timestamp(), by that name alone, for leases and retries, which no test clock may move.
const MACHINE_TIME =
  /(?<![\w.])(now\s*\(\s*\)|(clock|transaction)_timestamp\s*\(\s*\)|current_(timestamp|date|time)\b|localtime(stamp)?\b|timeofday\s*\()/gi;

// Migrations, what runs them and what lists their work may say now(); this rule's own words and examples must.
const withoutQueries = /^services\/(_database\/(migrations\/|migrate\b|schema\.sql)|_tidy\/)/;

/** Finds queries that ask the machine for the time: business time is given, so that a test clock can move it. */
export function findMachineTime(source: Source): Finding[] {
  if (withoutQueries.test(source.path)) return [];
  if (source.path.endsWith(".sql")) return findIn(source, source.text, 0);
  return source.nodes.flatMap((node) => {
    const isText = node.type === "TemplateElement" || (node.type === "Literal" && typeof node["value"] === "string");
    if (isText) return findIn(source, source.text.slice(node.start, node.end), node.start);
    const isFunctionNow =
      node.type === "CallExpression" && /\bfn(<[^>]*>)?\(\s*["']now["']/.test(callText(source, node));
    return isFunctionNow ? [find(source, node, "asks the machine for the time; use business_now()")] : [];
  });
}

function findIn(source: Source, text: string, offset: number): Finding[] {
  return Array.from(text.matchAll(MACHINE_TIME), (match) =>
    find(source, offset + match.index, `says ${match[0]} in SQL; use business_now()`),
  );
}

function callText(source: Source, node: Source["nodes"][number]): string {
  const callee = childOf(node, "callee");
  return callee === undefined ? "" : source.text.slice(callee.start, node.end);
}
