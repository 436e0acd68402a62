import { enableCompileCache, getCompileCacheDir } from "node:module";
import { join } from "node:path";
import { readConfig } from "./_runtime/config.ts";
import { prepareDataDir } from "./_supervisor/data-dir.ts";

try {
  // First, so that it holds for all that is imported below: compiled code is kept in the data folder, once that can be written,
  // where it is not kept beside the bundle (.config/start.mjs).
  if (getCompileCacheDir() === undefined) enableCompileCache(join(prepareDataDir(readConfig().dataDir), "cache"));
} catch {
  // A setting is wrong: `run` reads it again, and says so.
}
const [{ run }, { seed }, startHosting] = await Promise.all([
  import("./_supervisor/run.ts"),
  import("./_database/seed.ts"),
  process.argv.includes("--one-process")
    ? import("./one-process.ts").then((wiring) => wiring.startOneProcess)
    : import("./_supervisor/processes.ts").then((wiring) => wiring.startProcesses),
]);

// npm, or the terminal, may be gone before the last words are said.
process.stdout.on("error", () => undefined);

process.exit(await run({ seed, startHosting, print: (words) => process.stdout.write(`${words}\n`) }));
