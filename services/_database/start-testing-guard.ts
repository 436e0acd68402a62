import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A guard over what a test run leaves on the machine. */
export interface TestingGuard {
  /** Has the guard end this process group too, should the run die without. */
  watch(pid: number): void;
  /** Has the guard do its work now; resolves when it is done. */
  end(): Promise<void>;
}

/**
 * Starts a process that outlives this one: whenever this one ends, however it dies, it ends the processes it watches and the
 * Postgres of the data folder, and removes that folder.
 */
export function startTestingGuard(dataDir: string): TestingGuard {
  const program = fileURLToPath(new URL("./testing-guard.ts", import.meta.url));
  const guard = spawn(process.execPath, [program, dataDir], { stdio: ["pipe", "ignore", "inherit"], detached: true });
  const gone = new Promise<void>((resolve) => guard.once("exit", () => resolve()));
  guard.unref();
  return {
    watch: (pid) => void guard.stdin.write(`${pid}\n`),
    end: () => {
      guard.ref();
      guard.stdin.end();
      return gone;
    },
  };
}
