import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL("..", import.meta.url));

// biome-ignore lint/style/noDefaultExport: vitest reads a default export and nothing else.
export default defineConfig({
  root,
  test: {
    include: ["services/**/*.test.ts", "edge/**/*.test.ts"],
    globalSetup: [`${root}/services/_database/testing-setup.ts`],
    // Two cores, and a Postgres beside: more workers only wait for each other.
    maxWorkers: 2,
    // A test of real processes on a busy machine; one that hangs ends its file all the same.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
