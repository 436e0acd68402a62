import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readRunningConfig } from "./config.ts";
import { readRunFile, removeRunFile, writeRunFile } from "./run-file.ts";

/** A pid that no system gives: Linux ends at 4,194,304. */
const NOBODY = 2_000_000_000;

function setup() {
  const dataDir = mkdtempSync(join(tmpdir(), "tripe-run-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const write = (pid: number, settings: Record<string, string> = { PORT: "9100" }) =>
    writeRunFile(dataDir, { pid, url: "http://127.0.0.1:9100", settings });
  return { dataDir, write, file: join(dataDir, "run", "tripe.json") };
}

test("a running Tripe is found by its data folder, by its owner alone", () => {
  const { dataDir, write, file } = setup();
  write(process.pid);
  expect(readRunFile(dataDir)).toMatchObject({ url: "http://127.0.0.1:9100" });
  expect([statSync(file).mode & 0o777, statSync(join(dataDir, "run")).mode & 0o777]).toEqual([0o600, 0o700]);
  removeRunFile(dataDir);
  expect(readdirSync(join(dataDir, "run"))).toEqual([]);
});

test("what a killed Tripe left is no running one, and what another wrote is not removed", () => {
  const { dataDir, write } = setup();
  expect(readRunFile(dataDir)).toBeUndefined();
  write(NOBODY);
  expect(readRunFile(dataDir)).toBeUndefined();
  removeRunFile(dataDir);
  expect(readdirSync(join(dataDir, "run"))).toEqual(["tripe.json"]);
});

test.each(["", "{", "[]", '{"pid":"1"}', "null"])("a file that says %j is none", (text) => {
  const { dataDir, file } = setup();
  mkdirSync(join(dataDir, "run"));
  writeFileSync(file, text);
  expect(readRunFile(dataDir)).toBeUndefined();
});

test("a tool takes a running Tripe's settings, and those that are set before them", () => {
  const { dataDir, write } = setup();
  write(process.pid, { PORT: "9100", TRIPE_LISTEN_HOST: "0.0.0.0", DATABASE_URL: "postgres://me@db.example/tripe" });
  const found = readRunningConfig({ TRIPE_DATA_DIR: dataDir, PORT: " " });
  expect(found).toMatchObject({ port: 9_100, url: "http://127.0.0.1:9100", dataDir });
  expect(found.addresses.reader).toEqual([`unix:${join(dataDir, "run", "reader.sock")}`]);
  expect(found.databaseUrl?.reveal()).toBe("postgres://me@db.example/tripe");
  const other = readRunningConfig({ TRIPE_DATA_DIR: dataDir, PORT: "9200", TRIPE_LISTEN_HOST: "127.0.0.1" });
  expect(other).toMatchObject({ port: 9_200, url: "http://127.0.0.1:9200" });
});
