import type { Clock } from "../_runtime/clock.ts";
import { isStartedByNpm } from "../_runtime/config.ts";
import { waitForParentsEnd } from "./parent.ts";

/** The wish of a person, or of the machine, that this ends. */
export interface Ending {
  /** Aborted by the first wish. */
  readonly signal: AbortSignal;
  readonly asked: Promise<void>;
  /** Calls back at the second. */
  onAgain(callback: () => void): void;
}

/** One Ctrl-C arrives twice, from the terminal and, milliseconds later, from npm; a person's second comes later. */
const againAfterMs = 1_000;

/** Listens for signals and, under npm, for the end of npm: `kill` with npm's own number ends npm and its shell alone. */
export function listenForEnd(clock: Clock): Ending {
  const controller = new AbortController();
  let again = () => {};
  let firstMs = 0;
  const asked = new Promise<void>((done) => controller.signal.addEventListener("abort", () => done(), { once: true }));
  const ask = (why: string) => {
    if (controller.signal.aborted) return;
    firstMs = clock.preciseMs();
    controller.abort(new Error(why));
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted && clock.preciseMs() - firstMs > againAfterMs) again();
      ask(name);
    });
  }
  if (isStartedByNpm()) {
    void waitForParentsEnd(clock, controller.signal).then(
      () => ask("npm is gone"),
      () => undefined,
    );
  }
  return {
    signal: controller.signal,
    asked,
    onAgain: (callback) => {
      again = callback;
    },
  };
}
