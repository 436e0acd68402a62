// Bundles the programs of `npm start`: nine processes read a few files each instead of a thousand, and no TypeScript. Made
// when the packages are installed, and at a start that finds it stale. Run as a program it never fails an install.
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { basename, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
// Within node_modules, so that the packages left out of the bundle are found from it.
const cache = join(root, "node_modules", ".cache", "tripe");
// Several checkouts may share one node_modules by a link.
const name = `bundle-${createHash("sha256").update(root).digest("hex").slice(0, 8)}`;
const record = join(cache, `${name}.json`);

// A running Tripe loads some of its code late, so older bundles stay a while; each is about 7 MB.
const keptMax = 5;

// Each program's file in the bundle and what it is made of; services/_supervisor/plan.ts names the same files.
const services = ["bank", "mailer", "pdf", "reader", "scheduler", "transactions", "webhooks", "writer"];
const programs = {
  tripe: "services/all.ts",
  edge: "edge/main.ts",
  "sandbox-bank": "services/bank/sandbox/main.ts",
  ...Object.fromEntries(services.map((service) => [service, `services/${service}/main.ts`])),
};

/** The folder of the bundle, if it was made here, of sources and packages that have not changed since. */
export function findBundle() {
  try {
    const { from, node, folder, inputs } = JSON.parse(fs.readFileSync(record, "utf8"));
    if (from !== root || node !== process.version || !inputs.every(isUnchanged)) return undefined;
    return noteUse(join(cache, folder));
  } catch {
    return undefined;
  }
}

// Of a folder that another user has made the time stays.
function noteUse(folder) {
  const now = new Date();
  try {
    fs.utimesSync(folder, now, now);
  } catch (error) {
    if (error.code !== "EPERM" && error.code !== "EACCES" && error.code !== "EROFS") throw error;
  }
  return folder;
}

// Times differ after a checkout that changed nothing: then the content decides.
function isUnchanged([path, size, mtimeMs, sha256]) {
  const file = fs.statSync(join(root, path));
  return file.size === size && (file.mtimeMs === mtimeMs || hashOf(path) === sha256);
}

function hashOf(path) {
  return createHash("sha256")
    .update(fs.readFileSync(join(root, path)))
    .digest("base64");
}

async function makeBundle() {
  if (findBundle() !== undefined) return;
  fs.mkdirSync(cache, { recursive: true });
  const draft = fs.mkdtempSync(join(cache, "draft-"));
  try {
    const { rolldown } = await import("rolldown");
    const bundle = await rolldown({
      input: Object.fromEntries(Object.entries(programs).map(([program, path]) => [program, join(root, path)])),
      cwd: root,
      platform: "node",
      // pdfkit reads files beside its own; pg-native is optional, and absent.
      external: ["pdfkit", "pg-native"],
      plugins: [keepPlaces, leaveHttpLazy],
      logLevel: "silent",
    });
    // All in one folder: `import.meta.dirname` is the bundle's in every module of ours.
    await bundle.write({
      dir: draft,
      format: "esm",
      entryFileNames: "[name].mjs",
      chunkFileNames: "[name]-[hash].mjs",
      // Whole names and lines, for the stacks of errors.
      sourcemap: true,
    });
    const inputs = (await bundle.watchFiles).filter((path) => fs.existsSync(path)).map(describe);
    await bundle.close();
    const folder = basename(draft).replace("draft", name);
    // Whoever may read the sources may run their bundle.
    fs.chmodSync(draft, 0o755);
    fs.renameSync(draft, join(cache, folder));
    linkNewest(join(cache, folder));
    writeRecord({ from: root, node: process.version, folder, inputs });
    removeOld();
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

// Fonts, migrations and workers are found from where a source file is, not from where the bundle is.
const keepPlaces = {
  name: "keep-places",
  transform: (code, id) =>
    id.endsWith(".ts") ? code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href)) : null,
};

// `import … from "node:http"` reads every export of it, WebSocket among them, and that loads undici: 50 ms of a core and some
// megabytes in every process. Taken as an object, what is not read is not loaded.
const leaveHttpLazy = {
  name: "leave-http-lazy",
  resolveId: (source, _importer, { kind }) =>
    kind === "import-statement" && /^(node:)?http$/.test(source) ? "\0lazy-http" : null,
  load(id) {
    if (id !== "\0lazy-http") return null;
    const http = process.getBuiltinModule("node:http");
    const isPlain = (key) => Object.getOwnPropertyDescriptor(http, key)?.get === undefined;
    return [
      'const http = process.getBuiltinModule("node:http");',
      "export default http;",
      `export const { ${Object.keys(http).filter(isPlain).join(", ")} } = http;`,
    ].join("\n");
  },
};

function describe(absolute) {
  const path = relative(root, absolute);
  const { size, mtimeMs } = fs.statSync(absolute);
  return [path, size, mtimeMs, hashOf(path)];
}

// Where a running Tripe finds the programs of today for those of its processes that it starts again.
function linkNewest(folder) {
  const draft = join(cache, `link-${process.pid}`);
  fs.symlinkSync(folder, draft, "junction");
  fs.renameSync(draft, join(cache, name));
}

// Whole or not at all, whoever reads meanwhile.
function writeRecord(content) {
  const draft = `${record}.${process.pid}`;
  fs.writeFileSync(draft, JSON.stringify(content));
  fs.renameSync(draft, record);
}

// All but the last few of this checkout, and those of checkouts that are gone.
function removeOld() {
  const remove = (entry) => fs.rmSync(join(cache, entry), { recursive: true, force: true });
  const entries = fs.readdirSync(cache);
  const mine = entries.filter((entry) => entry.startsWith(`${name}-`));
  const byAge = mine.map((entry) => ({ entry, ms: fs.statSync(join(cache, entry)).mtimeMs }));
  for (const { entry } of byAge.sort((a, b) => b.ms - a.ms).slice(keptMax)) remove(entry);
  for (const other of entries.filter((entry) => /^bundle-\w+\.json$/.test(entry))) {
    if (fs.existsSync(JSON.parse(fs.readFileSync(join(cache, other), "utf8")).from)) continue;
    for (const entry of entries) if (entry.startsWith(other.replace(".json", ""))) remove(entry);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await makeBundle().catch((error) => {
    console.error(`Tripe is not bundled, and starts more slowly from its sources: ${error.message}`);
  });
}
