import type { Log, RpcLine } from "../log.ts";

/** A log that keeps what it is told, for a test to look at. */
export interface MemoryLog extends Log {
  readonly rpcs: RpcLine[];
  readonly errors: { readonly message: string; readonly cause: unknown }[];
}

/** Makes an empty one. */
export function createMemoryLog(): MemoryLog {
  const rpcs: RpcLine[] = [];
  const errors: { message: string; cause: unknown }[] = [];
  return {
    rpcs,
    errors,
    info: () => {},
    warn: () => {},
    error: (message, cause) => {
      errors.push({ message, cause });
    },
    rpc: (line) => {
      rpcs.push(line);
    },
    access: () => {},
    flush: () => Promise.resolve(),
  };
}
