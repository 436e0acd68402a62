import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../../services/_runtime/config.ts";
import { drawTree, findCalls } from "./trace-tree.ts";

// npm run trace -- req_…
// Prints every internal call of a request as a tree, from the logs in the data dir.
const requestId = process.argv[2] ?? "";
const folder = join(readConfig().dataDir, "logs");
const lines = readdirSync(folder)
  .filter((file) => file.endsWith(".log"))
  .flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n"));
const calls = requestId === "" ? [] : findCalls(lines, requestId);

if (calls.length === 0) {
  process.stderr.write(
    `say which request, such as "npm run trace -- req_…"; ${folder} knows no calls of "${requestId}"\n`,
  );
  process.exitCode = 1;
} else {
  process.stdout.write(`  start ms     length     call\n${drawTree(calls)}\n`);
}
