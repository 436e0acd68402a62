import type { Clock } from "../_runtime/clock.ts";
import { rotateHeldLog } from "../_runtime/log-rotation.ts";

/** A Postgres that logs as fast as it can writes some 100 MB in this time; usually it writes a line an hour. */
const WATCH_MS = 10_000;

/** What is watched until the signal is aborted. */
export interface HeldLogOptions {
  readonly path: string;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Keeps a log small that its program never opens again, such as Postgres'. */
export async function keepLogSmall({ path, maxBytes, clock, signal }: HeldLogOptions): Promise<void> {
  while (!signal.aborted) {
    rotateHeldLog(path, maxBytes);
    await clock.sleep(WATCH_MS, signal).catch(() => undefined);
  }
}
