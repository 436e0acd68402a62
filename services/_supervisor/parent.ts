import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Clock } from "../_runtime/clock.ts";

/** How soon the end of npm is noticed; looking costs some microseconds. */
const WATCH_MS = 500;

/**
 * Resolves once the process that started this one is gone: npm, or the shell that npm runs its scripts in and then npm
 * itself, which a signal may end without the shell. Never resolves before, nor after the signal is aborted.
 */
export async function waitForParentsEnd(clock: Clock, signal: AbortSignal): Promise<void> {
  const parent = process.ppid;
  const grandparent = isShell(nameOf(parent)) ? parentOf(parent) : undefined;
  const lives = () =>
    // Windows keeps the number of a parent that is gone; others name the next ancestor.
    process.ppid === parent && isAlive(parent) && (grandparent === undefined || hasParent(parent, grandparent));
  while (lives()) await clock.sleep(WATCH_MS, signal);
}

function isShell(name: string): boolean {
  return /^-?(a|ba|da|k|z)?sh$/.test(basename(name));
}

function hasParent(pid: number, parent: number): boolean {
  // Where there is no /proc, looking each time would be a process each time: then the ancestor's own life has to do.
  return existsSync("/proc/self/stat") ? parentOf(pid) === parent : isAlive(parent);
}

function nameOf(pid: number): string {
  return readStat(pid)?.name ?? ask(pid, "comm") ?? "";
}

function parentOf(pid: number): number | undefined {
  const parent = Number(readStat(pid)?.parent ?? ask(pid, "ppid"));
  return parent > 0 ? parent : undefined;
}

/** Linux' own account of a process: `pid (name) state parent …`, where the name may hold anything. */
function readStat(pid: number): { name: string; parent: string } | undefined {
  try {
    const [, name = "", parent = ""] = /^\d+ \((.*)\) \S+ (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return { name, parent };
  } catch {
    return undefined;
  }
}

/** What `ps` says; undefined where there is none, as on Windows, whose parents take their children along. */
function ask(pid: number, column: "comm" | "ppid"): string | undefined {
  if (process.platform === "win32" || existsSync("/proc/self/stat")) return undefined;
  try {
    return execFileSync("ps", ["-o", `${column}=`, "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
