import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../_runtime/clock.ts";
import { isAlive, readPostmaster } from "./embedded-postmaster.ts";

/** Postgres dies within milliseconds of SIGQUIT; after this the folder is removed under it. */
const stopTimeoutMs = 5_000;

// A process of its own beside a test run. Its input is a pipe from the run's, which ends when the run does, however that
// died; then the process groups it was told of are ended, and the run's Postgres, and its folder is removed.
const [dataDir = ""] = process.argv.slice(2);
process.on("SIGINT", () => undefined);
let groups = "";
process.stdin.on("data", (lines: Buffer) => {
  groups += lines.toString();
});
process.stdin.once("end", () => void end());

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended well.
  }
}

async function end(): Promise<void> {
  for (const pid of groups.split("\n").filter((line) => line !== "")) endGroup(Number(pid));
  const postmaster = readPostmaster(join(dataDir, "postgres"));
  if (postmaster !== undefined && isAlive(postmaster.pid)) {
    process.kill(postmaster.pid, "SIGQUIT");
    const deadline = systemClock.preciseMs() + stopTimeoutMs;
    while (isAlive(postmaster.pid) && systemClock.preciseMs() < deadline) await systemClock.sleep(20);
  }
  if (existsSync(dataDir)) rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
}
