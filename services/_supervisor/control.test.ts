import { execFile } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createEnvironment } from "../_runtime/config.ts";
import { silentLog } from "../_runtime/log.ts";
import { writeRunFile } from "../_runtime/run-file.ts";
import { controlPath, listenForCommands } from "./control.ts";
import type { ReplaceableName } from "./replaceable.ts";

/** A supervisor in this process, and the program that people ask it by. */
async function setup() {
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-control-"));
  const runDir = join(dataDir, "run");
  const asked: ReplaceableName[] = [];
  const replace = async (name: ReplaceableName) => {
    if (name === "bank") throw new Error("the new bank does not come up (exit code 1)");
    asked.push(name);
  };
  const { close } = await listenForCommands({ runDir, log: silentLog, replace });
  writeRunFile(dataDir, { pid: process.pid, url: "http://127.0.0.1:1", settings: { TRIPE_RUN_DIR: runDir } });
  onTestFinished(async () => {
    close();
    await rm(dataDir, { recursive: true });
  });
  const run = (...words: string[]) =>
    new Promise<{ isGood: boolean; output: string }>((resolve) => {
      const program = join(import.meta.dirname, "..", "replace.ts");
      execFile(
        process.execPath,
        [program, ...words],
        { env: createEnvironment({ TRIPE_DATA_DIR: dataDir }) },
        (error, out, err) => resolve({ isGood: error === null, output: `${out}${err}` }),
      );
    });
  return { runDir, asked, run };
}

const patient = { timeout: 30_000 };

test("npm run replace has what it names replaced, in that order, and says so", patient, async () => {
  const { runDir, asked, run } = await setup();
  expect(await run("reader", "edge")).toEqual({ isGood: true, output: "reader is replaced\nedge is replaced\n" });
  expect(asked).toEqual(["reader", "edge"]);
  expect((await stat(runDir)).mode & 0o077).toBe(0);
  expect((await stat(controlPath(runDir, process.pid))).isSocket()).toBe(true);
});

test("without a name everything is asked for, until one does not come up", patient, async () => {
  const { asked, run } = await setup();
  const { isGood, output } = await run();
  expect(isGood).toBe(false);
  expect(output).toMatch(/pdf is replaced\nthe new bank does not come up \(exit code 1\)\n$/);
  expect(asked).toEqual(["reader", "writer", "pdf"]);
});

test("a word that names no process is refused in words", patient, async () => {
  const { asked, run } = await setup();
  const { isGood, output } = await run("postgres");
  expect([isGood, asked]).toEqual([false, []]);
  expect(output).toMatch(/^name one of reader, .*, edge, not "postgres"\n$/);
});
