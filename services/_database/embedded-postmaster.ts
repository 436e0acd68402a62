import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** What a running Postgres says of itself in its data folder's `postmaster.pid`. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

/** Reads `postmaster.pid`: undefined when there is none, or when it is only half written yet. */
export function readPostmaster(databaseDir: string): Postmaster | undefined {
  const path = lockPath(databaseDir);
  if (!existsSync(path)) return undefined;
  // Lines: pid, data folder, start time, port, socket folder, address, shared memory, state (Postgres' miscadmin.h).
  const lines = readFileSync(path, "utf8").split("\n");
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (!(pid > 0)) return undefined;
  return { pid, port: port > 0 ? port : 0, ready: lines[7]?.trim() === "ready" };
}

/** The path of the lock a Postgres holds on its data folder. */
export function lockPath(databaseDir: string): string {
  return join(databaseDir, "postmaster.pid");
}

/** Says whether a process lives, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * Says whether a process may be a Postgres. After a kill and a restart of the machine or container its number may belong
 * to another program, and Postgres itself would then wait for that one for ever. Where this cannot be known: true.
 */
export function mayBePostgres(pid: number): boolean {
  const path = `/proc/${pid}/comm`;
  if (process.platform !== "linux" || !existsSync(path)) return true;
  return readFileSync(path, "utf8").startsWith("postgres");
}

/** Says whether nobody listens on this port of 127.0.0.1. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
