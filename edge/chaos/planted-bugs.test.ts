import { readFileSync } from "node:fs";
import { afterAll, expect, inject, test } from "vitest";
import { createField } from "./plant-bug.ts";
import { plantedBugs } from "./planted-bugs.ts";

/** T28: so many in `npm test`; all of them are the soak's. */
const HERE = 10;

const field = await createField(inject("testServer"));
afterAll(() => field.remove());

test("there are at least 25 planted bugs, each another one, and each still has its place in the sources", () => {
  expect(plantedBugs.length).toBeGreaterThanOrEqual(25);
  expect(new Set(plantedBugs.map(({ sentence }) => sentence)).size).toBe(plantedBugs.length);
  const root = new URL("../..", import.meta.url);
  const lost = plantedBugs.filter(
    ({ file, find }) => readFileSync(new URL(file, root), "utf8").split(find).length !== 2,
  );
  expect(lost).toEqual([]);
});

test.each(plantedBugs.slice(0, HERE))("a test finds it when $sentence", { timeout: 150_000 }, async (bug) => {
  const failures = await field.tryBug(bug);
  expect(failures).not.toEqual([]);
  for (const name of failures) expect(name).toContain(bug.test.name);
});
