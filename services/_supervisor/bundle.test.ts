import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../_runtime/config.ts";
import { listProcesses, wordOf } from "./plan.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const SHARED = "services/_runtime/shared.ts";

/** A checkout with programs of one line each, all of which print a constant of a shared file and where they think they are. */
async function setup() {
  const root = await realpath(await mkdtemp(join(tmpdir(), "tripe-bundle-")));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const words = listProcesses(readConfig({})).map(wordOf);
  const write = async (path: string, text: string) => {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  };
  const sourceOf = (word: string) =>
    word === "edge" ? "edge/main.ts" : `services/${word === "sandbox-bank" ? "bank/sandbox" : word}/main.ts`;
  for (const path of [...words.map(sourceOf), "services/all.ts"]) {
    const depth = "../".repeat(path.split("/").length - 1);
    await write(
      path,
      `import { version } from "${depth}${SHARED}"; console.log(version, import.meta.url, import.meta.dirname);`,
    );
  }
  const setVersion = (version: string) => write(SHARED, `export const version: string = ${version};`);
  await setVersion('"one"');
  await cp(join(ROOT, ".config", "bundle.mjs"), join(root, ".config", "bundle.mjs"));
  await mkdir(join(root, "node_modules"));
  await symlink(join(ROOT, "node_modules", "rolldown"), join(root, "node_modules", "rolldown"));
  const node = (...args: string[]) => promisify(execFile)(process.execPath, args);
  const cache = join(root, "node_modules", ".cache", "tripe");
  return {
    root,
    words,
    sourceOf,
    setVersion,
    bundle: async () => (await node(join(root, ".config", "bundle.mjs"))).stderr,
    bundles: async () => (await readdir(cache)).filter((name) => /-\w{6}$/.test(name)).map((name) => join(cache, name)),
    /** Where a running Tripe finds the programs of today. */
    newest: async () => {
      const links = (await readdir(cache)).filter((name) => /^bundle-\w+$/.test(name));
      return Promise.all(links.map((name) => realpath(join(cache, name))));
    },
    run: async (folder: string, word: string) => (await node(join(folder, `${word}.mjs`))).stdout.trim().split(" "),
  };
}

test("the bundle has every process of Tripe, each of which knows its source and finds the bundle's folder", async () => {
  const { root, words, sourceOf, bundle, bundles, run } = await setup();
  expect(await bundle()).toBe("");
  const [folder = ""] = await bundles();
  for (const word of words)
    expect(await run(folder, word)).toEqual(["one", pathToFileURL(join(root, sourceOf(word))).href, folder]);
  expect((await run(folder, "tripe"))[0]).toBe("one");
});

test("a bundle is made anew when a source has changed, and stays when only its time has", async () => {
  const { root, bundle, bundles, newest, run, setVersion } = await setup();
  await bundle();
  const first = await bundles();
  await utimes(join(root, SHARED), new Date(0), new Date(0));
  await bundle();
  expect(await bundles()).toEqual(first);
  await setVersion('"two"');
  await bundle();
  const added = (await bundles()).filter((folder) => !first.includes(folder));
  expect(added).toHaveLength(1);
  expect((await run(added[0] ?? "", "edge"))[0]).toBe("two");
  expect(await newest()).toEqual(added);
});

test("what cannot be bundled is said, and fails no install", async () => {
  const { bundle, bundles, setVersion } = await setup();
  await setVersion("");
  expect(await bundle()).toContain("Tripe is not bundled");
  expect(await bundles()).toEqual([]);
});

test("Tripe itself is bundled", { timeout: 120_000 }, async () => {
  const { stderr } = await promisify(execFile)(process.execPath, [join(ROOT, ".config", "bundle.mjs")]);
  expect(stderr).toBe("");
});
