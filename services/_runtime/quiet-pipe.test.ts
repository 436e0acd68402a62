import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { endQuietlyWithReader } from "./quiet-pipe.ts";

const root = join(import.meta.dirname, "../..");

test.each(["EPIPE", "EOF"])("an output whose reader is gone (%s) is no error, any other fault is", (code) => {
  const output = new PassThrough() as unknown as NodeJS.WriteStream;
  endQuietlyWithReader(output);
  expect(() => output.emit("error", Object.assign(new Error("write"), { code }))).not.toThrow();
  const full = Object.assign(new Error("no space"), { code: "ENOSPC" });
  expect(() => output.emit("error", full)).toThrow("no space");
});

test("every program that prints ends quietly with its reader", () => {
  const files = ["services", "edge"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(root, folder, name)),
  );
  const sources = files
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.includes("/testing/"))
    .map((file) => ({ file, text: readFileSync(file, "utf8") }));
  // A program exports nothing.
  const programs = sources.filter(({ text }) => text.includes("process.stdout.write(") && !/^export /m.test(text));
  expect(programs.length).toBeGreaterThan(10);
  const loud = programs.filter(({ text }) => !/endQuietlyWithReader\(\)|process\.stdout\.on\("error"/.test(text));
  expect(loud.map(({ file }) => file)).toEqual([]);
});
