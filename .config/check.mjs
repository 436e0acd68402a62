// Everything CI checks besides the tests: one line per check, exit code 1 when any fails. With `--fix` it first writes
// what can be written: formatting, gen/, schema.sql, the README's table of settings.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkClient } from "./check-client.mjs";
import { checkRpcs } from "./check-rpcs.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const isFixing = process.argv.includes("--fix");
const sources = ["services", "edge"].filter((folder) => existsSync(join(root, folder)));
const schemaPath = join(root, "services", "_database", "schema.sql");

// Each does its work in silence, or throws what a person has to read.
const checks = {
  format: checkFormat,
  types: () => run("tsc", ["--noEmit", "-p", "."]),
  "proto format": () => run("buf", ["format", isFixing ? "-w" : "-d", "--exit-code"]),
  "proto lint": () => run("buf", ["lint"]),
  "proto breaking": () => run("buf", ["breaking", "--against", "proto/baseline.binpb"]),
  generated: checkGenerated,
  schema: checkSchema,
  settings: checkSettings,
  rpcs: () => checkRpcs(run),
  "client types": () => checkClient(run),
  // The program that the client types were compiled into, against a Tripe; one run, since both need what vitest starts.
  "tidy, client": () =>
    run("vitest", ["run", "--config", ".config/vitest.config.ts", "services/tidy.test.ts", "edge/openapi/client"]),
};

let [passed, failed] = [0, 0];
for (const [name, check] of Object.entries(checks)) {
  const start = performance.now();
  const words = await check().then(
    () => "",
    (error) => String(error.message),
  );
  const ms = `${Math.round(performance.now() - start)} ms`;
  console.log(`${words === "" ? "ok  " : "FAIL"} ${name.padEnd(16)} ${ms.padStart(8)}`);
  if (words === "") passed += 1;
  else failed += 1;
  if (words !== "") console.log(words.replaceAll(/^/gm, "     "));
}
console.log(`${passed} checks passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

// biome takes the folder its configuration lies in for a second project, so that folder is checked from within.
async function checkFormat() {
  const check = ["check", "--error-on-warnings", ...(isFixing ? ["--write"] : [])];
  await run("biome", [...check, "--config-path=.config", ...sources]);
  await run("biome", [...check, "--config-path=.", "."], join(root, ".config"));
}

async function checkGenerated() {
  const folder = await mkdtemp(join(tmpdir(), "tripe-generate-"));
  try {
    await run("buf", ["generate", ...(isFixing ? [] : ["-o", folder])]);
    if (isFixing) return;
    const [wanted, found] = await Promise.all([join(folder, "gen"), join(root, "gen")].map(readTree));
    const paths = [...new Set([...wanted.keys(), ...found.keys()])].sort();
    const differing = paths.filter((path) => wanted.get(path) !== found.get(path));
    if (differing.length > 0)
      throw new Error(`gen/ is not what proto/ says; run npm run generate:\n${differing.join("\n")}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkSchema() {
  const { startTestServer, templateName, renamed } = await import("../services/_database/testing-server.ts");
  const { listSchema } = await import("../services/_database/listing.ts");
  const { server, stop } = await startTestServer();
  try {
    const wanted = await listSchema(renamed(server.ownerUrl, templateName));
    if (isFixing) return await writeFile(schemaPath, wanted);
    const found = existsSync(schemaPath) ? await readFile(schemaPath, "utf8") : "";
    if (wanted !== found)
      throw new Error(
        `schema.sql is not what the migrations make; run npm run check -- --fix\n${firstDifference(found, wanted)}`,
      );
  } finally {
    await stop();
  }
}

async function checkSettings() {
  const { writeSettings } = await import("../services/_runtime/config-markdown.ts");
  const path = join(root, "README.md");
  const found = await readFile(path, "utf8");
  const wanted = writeSettings(found);
  if (isFixing) return await writeFile(path, wanted);
  if (wanted !== found)
    throw new Error(
      `README.md's settings are not those of config-table.ts; run npm run check -- --fix\n${firstDifference(found, wanted)}`,
    );
}

async function readTree(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(files.map(async (path) => [path.slice(folder.length), await readFile(path, "utf8")])),
  );
}

function firstDifference(found, wanted) {
  const [foundLines, wantedLines] = [found.split("\n"), wanted.split("\n")];
  const at = wantedLines.findIndex((line, index) => line !== foundLines[index]);
  return `line ${at + 1}\n  file:       ${foundLines[at] ?? ""}\n  wanted:     ${wantedLines[at] ?? ""}`;
}

// Resolves when the program ends well, and rejects with all it printed when not.
function run(program, args, cwd = root) {
  const PATH = `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH}`;
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, PATH, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(output.trim() || `${program}: ${code}`))));
  });
}
