// What `npm start` runs: the bundle of services/all.ts, made anew where the sources have changed, or else services/all.ts
// itself. In plain JavaScript, since reading TypeScript takes 40 ms and 20 MB that a bundle has no use for.
import { spawnSync } from "node:child_process";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { findBundle } from "./bundle.mjs";

let folder = findBundle();
if (folder === undefined) {
  // In a process of its own, which gives back the memory that bundling takes.
  spawnSync(process.execPath, [fileURLToPath(new URL("bundle.mjs", import.meta.url))], { stdio: ["ignore", 2, 2] });
  folder = findBundle();
}
// Compiled code stays beside the bundle, where a new data folder finds it; or, where this user may not write there, in the
// data folder (services/all.ts).
if (folder !== undefined) enableCompileCache(join(folder, "compiled"));
await import(folder === undefined ? "../services/all.ts" : pathToFileURL(join(folder, "tripe.mjs")).href);
