import { registerHooks } from "node:module";

/**
 * Prints the types of a document as openapi-typescript makes them. It prints with the compiler's API, which TypeScript 7 does
 * not have: it is given TypeScript 5 instead, which stands beside under another name.
 */
export async function printTypes(document: object): Promise<string> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier === "typescript" && isGenerator(context.parentURL) ? "typescript-5" : specifier, context),
  });
  try {
    const { default: openapiTypes, astToString } = await import("openapi-typescript");
    return astToString(await openapiTypes(JSON.stringify(document)));
  } finally {
    hooks.deregister();
  }
}

function isGenerator(url = ""): boolean {
  return url.includes("/openapi-typescript/");
}
