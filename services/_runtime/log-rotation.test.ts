import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openLogFile } from "./log-file.ts";
import { isLogName, rotateHeldLog } from "./log-rotation.ts";

function setup() {
  const folder = mkdtempSync(join(tmpdir(), "tripe-rotation-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "edge.log");
  const textOf = (name: string) => readFileSync(join(folder, name), "utf8");
  return { path, names: () => readdirSync(folder).sort(), textOf };
}

test("a log that has reached its size is moved aside, and four older ones are kept", async () => {
  const { path, names, textOf } = setup();
  const file = openLogFile(path, 100);
  for (let round = 0; round < 7; round += 1) {
    file.write(`${round} ${"x".repeat(120)}\n`);
    await file.flush();
  }
  expect(names()).toEqual(["edge.log", "edge.log.1", "edge.log.2", "edge.log.3", "edge.log.4"]);
  expect(names().map((name) => textOf(name)[0])).toEqual(["6", "5", "4", "3", "2"]);
  expect(names().every(isLogName)).toBe(true);
});

test("several writers of one log lose no line while it is rotated", async () => {
  const { path, names, textOf } = setup();
  const writers = Array.from({ length: 4 }, () => openLogFile(path, 40_000));
  for (let index = 0; index < 100; index += 1) {
    for (const [writer, file] of writers.entries()) file.write(`${writer} ${index} ${"x".repeat(200)}\n`);
    await Promise.all(writers.map((file) => file.flush()));
  }
  const lines = names().flatMap((name) => textOf(name).split("\n").filter(Boolean));
  expect(new Set(lines).size).toBe(400);
  expect(names().length).toBe(3);
});

test("a log that another program holds open is emptied, and goes on in the same file", () => {
  const { path, names, textOf } = setup();
  const held = openSync(path, "a");
  onTestFinished(() => closeSync(held));
  writeSync(held, "before\n");
  rotateHeldLog(path, 5);
  writeSync(held, "after\n");
  expect(names().map(textOf)).toEqual(["after\n", "before\n"]);
});

test("a lock of a process that died in the middle does not stop rotation for good", async () => {
  const { path, names } = setup();
  const file = openLogFile(path, 10);
  appendFileSync(`${path}.rotating`, "1");
  file.write("0123456789\n");
  await file.flush();
  file.write("next\n");
  await file.flush();
  expect(names()).toEqual(["edge.log", "edge.log.rotating"]);
  const { utimesSync } = await import("node:fs");
  utimesSync(`${path}.rotating`, 1, 1);
  file.write("last\n");
  await file.flush();
  expect(names()).toEqual(["edge.log", "edge.log.1"]);
});
