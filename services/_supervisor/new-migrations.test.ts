import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createMigrationCheck } from "./new-migrations.ts";

test("a program with migrations that came after the start is not put into service", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tripe-migrations-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "0001_first.sql"), "");
  const check = createMigrationCheck(folder);
  check();
  await writeFile(join(folder, "0002_second.sql"), "");
  expect(check).toThrow("the program on disk has new migrations (0002_second.sql): stop Tripe and start it");
});
