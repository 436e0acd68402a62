import { readFileSync } from "node:fs";

// Real answers, which examples.test.ts records and holds fresh.
const examples: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(new URL("examples.json", import.meta.url), "utf8"),
);

/** The names of the schemas and failures of which there is an example. */
export const exampleNames: ReadonlySet<string> = new Set(Object.keys(examples));

/** The examples, as OpenAPI has them. */
export function readExamples(): Record<string, { value: unknown }> {
  return Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
}
