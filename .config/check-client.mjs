import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = join(root, "edge", "openapi", "client", "program.ts");

/** Generates a client's types from the document that an edge serves, and compiles a program against them. */
export async function checkClient(run) {
  const { createOpenapi } = await import("../edge/openapi/openapi.ts");
  const { actionRoutes, sharedRoutes } = await import("../edge/actions/actions.ts");
  const { printTypes } = await import("../edge/openapi/client/print-types.ts");
  const document = createOpenapi([...Object.values(actionRoutes).flat(), ...sharedRoutes]);
  const folder = await mkdtemp(join(tmpdir(), "tripe-client-"));
  try {
    await writeFile(join(folder, "tripe-api.d.ts"), await printTypes(document));
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(configFor(folder)));
    await run("tsc", ["--noEmit", "-p", folder]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function configFor(folder) {
  return {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      paths: { "tripe-api": [join(folder, "tripe-api.d.ts")] },
      typeRoots: [join(root, "node_modules", "@types")],
    },
    files: [program],
    include: [],
    exclude: [],
  };
}
