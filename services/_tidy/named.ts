import type { DescService } from "@bufbuild/protobuf";
import { below, childOf, childrenOf, type Finding, find, isForTests, literalOf, type Source } from "./source.ts";

/** Finds rpcs that no test names, in the proto's spelling or the client's. */
export function findUntestedRpcs(services: readonly DescService[], sources: readonly Source[]): Finding[] {
  const words = wordsOf(sources.filter(({ path }) => path.endsWith(".test.ts")));
  return services.flatMap((service) =>
    service.methods
      .filter(({ name, localName }) => !words.has(name) && !words.has(localName))
      .map(({ name }) => `proto/${service.file.name}.proto:1 no test names ${service.typeName}/${name}`),
  );
}

/** Finds reasons of refusals that no test names: a refusal is tested as hard as a success. */
export function findUntestedReasons(sources: readonly Source[]): Finding[] {
  const words = wordsOf(sources.filter(({ path }) => path.endsWith(".test.ts")));
  return sources
    .filter(({ path }) => !isForTests(path))
    .flatMap((source) => reasonsOf(source).map((reason) => ({ source, ...reason })))
    .filter(({ reason }) => !words.has(reason))
    .map(({ source, at, reason }) => find(source, at, `no test names the reason ${reason}`));
}

// A reason is an argument of refuse(code, reason, …) or a property of createRefusal({ reason }), in words or chosen
// between words.
function reasonsOf(source: Source): { at: number; reason: string }[] {
  return source.nodes.flatMap((node) => {
    const name = childOf(node, "callee")?.["name"];
    if (node.type !== "CallExpression" || (name !== "refuse" && name !== "createRefusal")) return [];
    const [first, second] = childrenOf(node, "arguments");
    const given = name === "refuse" ? second : first;
    if (given === undefined) return [];
    return below(given).flatMap((literal) => {
      const reason = literalOf(literal);
      return reason !== undefined && /^[A-Z][A-Z0-9_]+$/.test(reason) ? [{ at: literal.start, reason }] : [];
    });
  });
}

function wordsOf(sources: readonly Source[]): ReadonlySet<string> {
  return new Set(sources.flatMap(({ text }) => text.match(/\w+/g) ?? []));
}
