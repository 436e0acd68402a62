import { startTestServer } from "../../services/_database/testing-server.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";
import { cloneForSimulation } from "./simulation/clone.ts";
import { openSimulatedDatabase } from "./simulation/database.ts";
import { simulate } from "./simulation/run.ts";

endQuietlyWithReader();

// node edge/chaos/simulate.ts seed=123 [count=1] [trace=yes]
// Runs the whole system by a seed, or by so many seeds from it on: the same seed does the same, to the byte. Exit code 1,
// and the contradictions, when a run went wrong.
const words = new Map(process.argv.slice(2).map((word) => word.split("=") as [string, string | undefined]));
const firstSeed = Number(words.get("seed") ?? 1);
const count = Number(words.get("count") ?? 1);
const isTraced = words.get("trace") === "yes";

const { server, stop } = await startTestServer();
const database = await openSimulatedDatabase(await cloneForSimulation(server));
const startMs = systemClock.preciseMs();
let failedCount = 0;
try {
  for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
    const { trace, problems } = await simulate(database, seed);
    if (isTraced) process.stdout.write(`${trace.join("\n")}\n`);
    if (problems.length === 0) continue;
    failedCount += 1;
    process.stdout.write(
      `seed=${seed}: ${problems.join("\n  ")}\n  replay: node edge/chaos/simulate.ts seed=${seed} trace=yes\n`,
    );
  }
} finally {
  await database.close();
  await stop();
}
const seconds = ((systemClock.preciseMs() - startMs) / 1_000).toFixed(1);
process.stdout.write(`${count} seeds from ${firstSeed}, ${failedCount} failed, in ${seconds} s\n`);
process.exit(failedCount === 0 ? 0 : 1);
