import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../_runtime/clock.ts";
import { isAlive, readPostmaster } from "./embedded-postmaster.ts";

/** Postgres dies within milliseconds of SIGQUIT; after this the folder is removed under it. */
const stopTimeoutMs = 5_000;

// A process of its own beside a test run. Its input is a pipe from the run's, which ends when the run does, however that
// died; then the run's Postgres is ended and its folder removed.
const [dataDir = ""] = process.argv.slice(2);
process.on("SIGINT", () => undefined);
process.stdin.resume();
process.stdin.once("end", () => void end());

async function end(): Promise<void> {
  const postmaster = readPostmaster(join(dataDir, "postgres"));
  if (postmaster !== undefined && isAlive(postmaster.pid)) {
    process.kill(postmaster.pid, "SIGQUIT");
    const deadline = systemClock.preciseMs() + stopTimeoutMs;
    while (isAlive(postmaster.pid) && systemClock.preciseMs() < deadline) await systemClock.sleep(20);
  }
  if (existsSync(dataDir)) rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
}
