import { rename, writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Loaded into every process of a Tripe that is profiled (node --import, by NODE_OPTIONS). The first SIGUSR2 starts V8's
// sampling profiler inside the process, so that its start-up is left out and no port is opened, and then makes the file
// <folder>/<pid>.started; the second stops it and writes <folder>/<pid>.cpuprofile. The folder is the query of this module's url.

/** Half of V8's default: a process that has a tenth of a core still gives thousands of samples in 10 s. */
const INTERVAL_US = 500;

const folder = fileURLToPath(new URL(import.meta.url).searchParams.get("folder") ?? "file:///tmp");
let session: Session | undefined;

process.on("SIGUSR2", () => void (session === undefined ? start() : stop(session)));

async function start(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
  await session.post("Profiler.start");
  await writeFile(join(folder, `${process.pid}.started`), "yes");
}

async function stop(running: Session): Promise<void> {
  session = undefined;
  const { profile } = await running.post("Profiler.stop");
  running.disconnect();
  const file = join(folder, `${process.pid}.cpuprofile`);
  // Appears whole or not at all.
  await writeFile(`${file}.draft`, JSON.stringify(profile));
  await rename(`${file}.draft`, file);
}
