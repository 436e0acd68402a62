import { readFileSync } from "node:fs";
import { childrenOf, type Process } from "../chaos/processes.ts";

/** Linux counts CPU in ticks of 10 ms, whatever the kernel's own rate (`getconf CLK_TCK`). */
const TICK_MS = 10;

/** Milliseconds of CPU, user and system, by the name of a process. */
export type CpuTimes = ReadonlyMap<string, number>;

/** The processes to read: what was started by hand, the name it has in the figures, and Postgres, which is no child of it. */
export interface Started {
  readonly pid: number;
  readonly name: string;
  readonly postgresPid: number;
}

/** Reads what the processes of a Tripe have used so far. Linux only: elsewhere there is no /proc, and it rejects. */
export async function readCpu({ pid, name: ownName, postgresPid }: Started): Promise<CpuTimes> {
  const [children, backends] = await Promise.all([childrenOf(pid), childrenOf(postgresPid)]);
  const times = new Map<string, number>();
  const add = (name: string, ms: number) => times.set(name, (times.get(name) ?? 0) + ms);
  add(ownName, readProcess(pid).ownMs);
  for (const child of children) {
    const name = nameOf(child);
    if (name !== undefined) add(name, readProcess(child.pid).ownMs);
  }
  // A backend that has ended is counted in the postmaster's children.
  const { ownMs, reapedMs } = readProcess(postgresPid);
  add("postgres", ownMs + reapedMs);
  for (const backend of backends) add("postgres", readProcess(backend.pid).ownMs);
  return times;
}

/** What was used between two readings. */
export function cpuBetween(before: CpuTimes, after: CpuTimes): CpuTimes {
  return new Map([...after].map(([name, ms]) => [name, ms - (before.get(name) ?? 0)]));
}

/** The names of a supervisor's children: "reader", "edge", "sandbox-bank". Undefined for what is no process of Tripe's. */
export function nameOf({ command }: Pick<Process, "command">): string | undefined {
  if (command.includes("bank/sandbox/")) return "sandbox-bank";
  // Of the sources, or of their bundle (.config/bundle.mjs).
  return /(?:([\w-]+)\/main|bundle-\w+\/([\w-]+))\.\w+(?:\s|$)/.exec(command)?.slice(1).find(Boolean);
}

/** Reads what one process has used so far, in ms. */
export function readCpuOf(pid: number): number {
  return readProcess(pid).ownMs;
}

function readProcess(pid: number): { ownMs: number; reapedMs: number } {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return parseStat(text);
  } catch (error) {
    // Ended since it was listed: its parent has its time.
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return { ownMs: 0, reapedMs: 0 };
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return { ownMs: 0, reapedMs: 0 };
    throw error;
  }
}

/** Reads a line of /proc/<pid>/stat (proc(5)): the second field, in parentheses, may hold blanks. */
export function parseStat(text: string): { ownMs: number; reapedMs: number } {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // utime, stime, cutime and cstime are the 14th to the 17th field, and the state, the third, comes first here.
  const [user = 0, system = 0, reapedUser = 0, reapedSystem = 0] = fields.slice(11, 15).map(Number);
  return { ownMs: (user + system) * TICK_MS, reapedMs: (reapedUser + reapedSystem) * TICK_MS };
}
