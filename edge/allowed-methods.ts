import type { FastifyInstance } from "fastify";

/** Says which methods a path has; empty for a path that no route has. */
export type AllowedMethods = (path: string) => readonly string[];

/** Collects the methods of every route that is added to the app from here on, in the order of the alphabet. */
export function collectAllowedMethods(app: FastifyInstance): AllowedMethods {
  const byUrl = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  app.addHook("onRoute", ({ url, method }) => {
    const route = byUrl.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const name of [method].flat()) route.methods.add(name);
    byUrl.set(url, route);
  });
  return (path) => {
    const found = [...byUrl.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
  };
}

function patternOf(url: string): RegExp {
  const parts = url.split("/").map((part) => (part.startsWith(":") ? "[^/]+" : part.replaceAll(/[^\w-]/g, "\\$&")));
  return new RegExp(`^${parts.join("/")}$`);
}
