import { once } from "node:events";
import { get } from "node:http";
import { text } from "node:stream/consumers";
import type { Clock } from "../_runtime/clock.ts";

/** A start takes 1 to 4 s; asked so often, the answer is late by little. Each time it is no, the next wait is longer. */
const pollMinMs = 50;
const pollMaxMs = 500;

/** One answer waited for: the edge answers within 0.9 s whatever else does not (edge/health.ts). */
const answerMaxMs = 2_000;

/** After this the person at the terminal is told what is missing, and again each time as long has passed. */
const patienceMs = 10_000;

/** What waiting for health takes; `say` tells the person at the terminal what is still missing. */
export interface HealthOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly say: (words: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves once `<url>/healthz` answers 200, so that every service serves; rejects when the signal is aborted. */
export async function waitForHealth({ url, clock, say, signal }: HealthOptions): Promise<void> {
  let patienceEndMs = clock.preciseMs() + patienceMs;
  for (let pollMs = pollMinMs; ; pollMs = Math.min(pollMs * 1.1, pollMaxMs)) {
    const { isHealthy, words } = await askHealth(url, signal);
    if (isHealthy) return;
    if (clock.preciseMs() > patienceEndMs) {
      say(`not everything serves yet: ${words}`);
      patienceEndMs += patienceMs;
    }
    await clock.sleep(pollMs, signal);
  }
}

/** What `/healthz` said: whether all is well, and all it said. */
export interface HealthAnswer {
  readonly isHealthy: boolean;
  readonly words: string;
}

/** Asks `<url>/healthz`. An edge that does not answer in time is not healthy. */
export async function askHealth(url: string, signal: AbortSignal): Promise<HealthAnswer> {
  // node:http rather than fetch, whose first use costs this process a fifth of its start.
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(answerMaxMs)]);
    const request = get(`${url}/healthz`, { agent: false, signal: limited });
    const [answer] = await once(request, "response");
    return { isHealthy: answer.statusCode === 200, words: (await text(answer)).trim() };
  } catch {
    return { isHealthy: false, words: "the edge does not answer" };
  }
}
