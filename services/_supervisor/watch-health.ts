import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";
import { askHealth, type HealthOptions } from "./health.ts";

/**
 * Each look is a dozen calls and a heartbeat in the database, the most that a Tripe at rest has to do. A process that ends is
 * said at once by whoever starts it again (child.ts), so what is left to be found may take some seconds.
 */
const WELL_POLL_MS = 10_000;

/** While something is wrong, a person looks at a terminal no more often. */
const BAD_POLL_MS = 2_000;

/** What is wrong twice in a row is said: a process that is started again is away for a second, and was said already. */
const badMin = 2;

/** What watching takes. */
export interface WatchOptions extends HealthOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How often to look while all is well; default 10 s. */
  readonly wellPollMs?: number;
}

/**
 * Watches `/healthz` until the signal is aborted, and says in one line each what goes wrong, services and alerts alike, and
 * when all is well again. What lasts is said once.
 */
export async function watchHealth(options: WatchOptions): Promise<void> {
  const { ask, clock, log, say, signal, wellPollMs = WELL_POLL_MS } = options;
  let said = "";
  let badCount = 0;
  while (!signal.aborted) {
    await clock.sleep(badCount === 0 ? wellPollMs : BAD_POLL_MS, signal).catch(() => undefined);
    const { isHealthy, words } = await askHealth(ask, signal);
    if (signal.aborted) return;
    const problems = problemsOf(words, isHealthy);
    badCount = problems.length === 0 ? 0 : badCount + 1;
    const key = problems.map(withoutNumbers).join("\n");
    if (key === said || (badCount > 0 && badCount < badMin)) continue;
    said = key;
    if (problems.length === 0) log.info("all is well again");
    else log.warn("not all is well", { problems });
    say(problems.length === 0 ? "all is well again" : `not well: ${problems.join("; ")}`);
  }
}

function problemsOf(words: string, isHealthy: boolean): string[] {
  const lines = words.split("\n");
  const problems = lines.filter((line) => line.includes(" not serving") || line.startsWith("alert "));
  // An edge that says nothing is named by askHealth.
  return problems.length > 0 || isHealthy ? problems : lines.slice(0, 1);
}

/** Seconds and counts go on while a problem lasts: that is no news. */
function withoutNumbers(line: string): string {
  return line.replaceAll(/\d+/g, "n");
}
