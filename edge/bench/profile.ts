import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";
import { childrenOf, signal } from "../chaos/processes.ts";
import { until } from "../chaos/whole-tripe.ts";
import { readProfileArguments } from "./arguments.ts";
import { type CpuTimes, cpuBetween, nameOf } from "./cpu.ts";
import type { Wiring } from "./figure.ts";
import { createMeasuredTripe, type MeasuredTripe } from "./measured-tripe.ts";
import { describeProcess, describeSum, type ProfiledProcess } from "./profile-report.ts";
import { type CpuProfile, summarize } from "./profile-summary.ts";
import { profiledWorks } from "./profiled-work.ts";

endQuietlyWithReader();

// npm run profile -- charge [seconds=10] [wiring=one]
// Profiles every process of a Tripe while it does one kind of work, its start left out: the top by package and by function,
// µs an operation. A write that wakes another process looks dearer than it is, since what V8 samples is time on the wall.

const root = join(import.meta.dirname, "..", "..");
const print = (line: string) => process.stdout.write(`${line}\n`);
/** Profiles of a window are some megabytes; a busy machine takes seconds to write ten of them. */
const WRITTEN_MAX_MS = 60_000;

try {
  const asked = readProfileArguments(process.argv.slice(2), Object.keys(profiledWorks));
  for (const wiring of asked.wirings) await profile(wiring, asked);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function profile(wiring: Wiring, { name, seconds, port }: { name: string; seconds: number; port: number }) {
  const work = profiledWorks[name];
  if (work === undefined) throw new Error(`there is no work ${name}`);
  const folder = await mkdtemp(join(tmpdir(), "tripe-profile-"));
  const hook = pathToFileURL(join(import.meta.dirname, "profile-hook.ts"));
  hook.searchParams.set("folder", pathToFileURL(folder).href);
  const settings = { NODE_OPTIONS: `--import=${hook.href}` };
  const tripe = await createMeasuredTripe({ root, wiring, port, settings, isFromSources: true });
  try {
    await tripe.start();
    let pids = new Map<string, number>();
    let before: CpuTimes = new Map();
    let after: CpuTimes = new Map();
    let [fromUs, toUs] = [0, 0];
    const prepare = async () => {
      pids = await listPids(tripe);
      for (const pid of pids.values()) signal(pid, "SIGUSR2");
      for (const pid of pids.values()) await readWhenThere(join(folder, `${pid}.started`));
    };
    const begin = async () => {
      fromUs = monotonicUs();
      before = await tripe.cpu();
    };
    const end = async () => {
      toUs = monotonicUs();
      after = await tripe.cpu();
      for (const pid of pids.values()) signal(pid, "SIGUSR2");
    };
    const operations = await work(tripe, { seconds, prepare, begin, end });
    const cpu = cpuBetween(before, after);
    const processes = await Promise.all(
      [...pids].map(async ([processName, pid]): Promise<ProfiledProcess> => {
        const profile = JSON.parse(await readWhenThere(join(folder, `${pid}.cpuprofile`))) as CpuProfile;
        const summary = summarize(profile, { root, fromUs, toUs });
        return { name: processName, summary, cpuMs: cpu.get(processName) ?? 0 };
      }),
    );
    report({ wiring, work: name, operations, processes, postgresMs: cpu.get("postgres") ?? 0 });
  } finally {
    await tripe.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every process of it that has the hook: all but Postgres. */
async function listPids(tripe: MeasuredTripe): Promise<Map<string, number>> {
  const own = tripe.wiring === "one" ? "one process" : "supervisor";
  const pids = new Map([[own, tripe.supervisorPid()]]);
  for (const child of await childrenOf(tripe.supervisorPid())) {
    const name = nameOf(child);
    if (name !== undefined) pids.set(name, child.pid);
  }
  return pids;
}

async function readWhenThere(file: string): Promise<string> {
  let text = "";
  const isRead = async () => {
    text = await readFile(file, "utf8").catch(() => "");
    return text !== "";
  };
  await until(isRead, WRITTEN_MAX_MS, `${file} is written`);
  return text;
}

/** The clock that V8 stamps its profiles with: on Linux that of every process of the machine. */
function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

interface Report {
  readonly wiring: Wiring;
  readonly work: string;
  readonly operations: number;
  readonly processes: readonly ProfiledProcess[];
  readonly postgresMs: number;
}

function report({ wiring, work, operations, processes, postgresMs }: Report): void {
  const sorted = processes.toSorted((a, b) => b.cpuMs - a.cpuMs);
  for (const one of sorted) print(`\n${wiring}: ${describeProcess(one, operations)}`);
  const each = (ms: number) => `${((ms * 1_000) / operations).toFixed(0)} µs`;
  const nodeMs = sorted.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  print(
    `\n${wiring}: ${work}, ${operations} operations: Node ${each(nodeMs)}, Postgres ${each(postgresMs)} of CPU each`,
  );
  print(describeSum(sorted, operations));
}
