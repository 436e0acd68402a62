import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** One process of the machine, as `ps` tells it. */
export interface Process {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
}

/** Lists the children of a process. */
export async function childrenOf(parentPid: number): Promise<Process[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,command="], { maxBuffer: 1 << 24 });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(parent) === parentPid ? [{ pid: Number(pid), parentPid, command }] : [];
  });
}

/** Sends a signal; a process that is gone already is left in peace. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Says whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
