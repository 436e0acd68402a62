import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { actionRoutes, sharedRoutes } from "./actions/actions.ts";
import { bracketed } from "./decode/tree.ts";

// Whatever a route accepts it carries out, or DIFFERENCES.md says why not: what is silently dropped is lost money or data.
const routes = [...Object.values(actionRoutes).flat(), ...sharedRoutes];
const page = readFileSync(new URL("DIFFERENCES.md", import.meta.url), "utf8");

interface Ignored {
  readonly param: string;
  readonly route: string;
  readonly reason: string;
}

interface Node {
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly "x-ignored"?: Readonly<Record<string, string>>;
}

function ignoredOf(node: Node, route: string, path = ""): Ignored[] {
  const own = Object.entries(node["x-ignored"] ?? {}).map(([name, reason]) => ({
    param: bracketed(path, name),
    route,
    reason,
  }));
  const inner = [
    ...(node.anyOf ?? []).map((one): [string, Node] => [path, one]),
    ...(node.items === undefined ? [] : [[`${path}[]`, node.items] as [string, Node]]),
    ...Object.entries(node.properties ?? {}).map(([name, one]): [string, Node] => [bracketed(path, name), one]),
  ];
  return [...own, ...inner.flatMap(([name, one]) => ignoredOf(one, route, name))];
}

/** The rows of the page's table that the routes ask for: one for each parameter and reason, with its routes. */
function wantedRows(): string[] {
  const all = routes.flatMap(({ method, params, path }) => ignoredOf(params, `${method} ${path}`));
  const groups = Map.groupBy(all, ({ param, reason }) => `${param}\n${reason}`);
  return [...groups.values()].map((group) => {
    const [first] = group;
    const names = group.map(({ route }) => `\`${route}\``).join(", ");
    return `| \`${first?.param}\` | ${names} | ${first?.reason} |`;
  });
}

/** The lines of a table below its head, which begins so. */
function rowsBelow(head: string): string[] {
  const lines = page.split("\n");
  const at = lines.findIndex((line) => line.startsWith(head));
  expect(at, head).toBeGreaterThan(-1);
  const rest = lines.slice(at + 2);
  return rest.slice(
    0,
    rest.findIndex((line) => !line.startsWith("|")),
  );
}

test("DIFFERENCES.md lists every parameter that is accepted without effect, with its reason, and no other", () => {
  expect(rowsBelow("| parameter | routes |").toSorted()).toEqual(wantedRows().toSorted());
});

test("every reason is a sentence", () => {
  const reasons = routes.flatMap(({ params }) => ignoredOf(params, "")).map(({ reason }) => reason);
  expect(reasons.filter((reason) => !/^[A-Z].{20,}\.$/.test(reason))).toEqual([]);
  expect(reasons.length).toBeGreaterThan(0);
});
