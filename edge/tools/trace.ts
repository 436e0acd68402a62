import { createReadStream, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "../../services/_runtime/clock.ts";
import { readConfig } from "../../services/_runtime/config.ts";
import type { RpcLine } from "../../services/_runtime/log.ts";
import { FLUSH_INTERVAL_MS } from "../../services/_runtime/log-file.ts";
import { isLogName } from "../../services/_runtime/log-rotation.ts";
import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";
import { drawTree, readCall } from "./trace-tree.ts";

endQuietlyWithReader();

// npm run trace -- req_…
// Prints every internal call of a request as a tree, from the logs in the data dir.
const requestId = process.argv[2] ?? "";
const folder = join(readConfig().dataDir, "logs");
const calls = requestId === "" || !existsSync(folder) ? [] : await findCalls();

if (calls.length > 0) {
  process.stdout.write(`  start ms     length     call\n${drawTree(calls)}\n`);
} else {
  process.stderr.write(`usage: npm run trace -- req_…; ${folder} knows no calls of "${requestId}"\n`);
  process.exitCode = 1;
}

async function findCalls(): Promise<RpcLine[]> {
  const found: RpcLine[] = [];
  // The last lines of a request that has just been answered are on their way to the disk.
  await systemClock.sleep(2 * FLUSH_INTERVAL_MS);
  for (const file of readdirSync(folder).filter(isLogName)) {
    // Line by line: the log of a busy week does not fit into memory.
    for await (const line of createInterface({ input: createReadStream(join(folder, file)) })) {
      const call = readCall(line, requestId);
      if (call !== undefined) found.push(call);
    }
  }
  return found;
}
