import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { prepareDataDir } from "./data-dir.ts";

function setup() {
  const folder = mkdtempSync(join(tmpdir(), "tripe-dir-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("a data folder is made, closed to others, and nothing is left in it but its logs' folder", () => {
  const dataDir = join(setup(), "new", "tripe");
  expect(prepareDataDir(dataDir)).toBe(dataDir);
  expect(readdirSync(dataDir)).toEqual(["logs"]);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
});

test("a file, or a folder below a file, is refused by the setting's name", () => {
  const file = join(setup(), "tripe");
  writeFileSync(file, "");
  expect(() => prepareDataDir(file)).toThrow(`TRIPE_DATA_DIR: ${file} is a file, and has to be a folder.`);
  expect(() => prepareDataDir(join(file, "below"))).toThrow(
    `TRIPE_DATA_DIR: ${file}/below cannot be written (ENOTDIR).`,
  );
});

// A folder that not even root may write to.
test.runIf(process.platform === "linux")("a folder that cannot be written is refused by the setting's name", () => {
  expect(() => prepareDataDir("/proc/tripe")).toThrow(
    /^TRIPE_DATA_DIR: \/proc\/tripe cannot be written \(E[A-Z]+\)\.$/,
  );
});

test("a full disk is refused, with what is needed", () => {
  const dataDir = setup();
  const words = `TRIPE_DATA_DIR: ${dataDir} has 59 MB free, and Tripe needs 60 MB.`;
  expect(() => prepareDataDir(dataDir, () => 59_999_999)).toThrow(words);
  expect(prepareDataDir(dataDir, () => 60_000_000)).toBe(dataDir);
});
