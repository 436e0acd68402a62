import { type AskEdge, describeCertificateProblem } from "../_runtime/ask-edge.ts";
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
  readonly ask: AskEdge;
  readonly clock: Clock;
  readonly say: (words: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves once `/healthz` answers 200, so that every service serves; rejects when the signal is aborted. */
export async function waitForHealth({ ask, clock, say, signal }: HealthOptions): Promise<void> {
  let patienceEndMs = clock.preciseMs() + patienceMs;
  for (let pollMs = pollMinMs; ; pollMs = Math.min(pollMs * 1.1, pollMaxMs)) {
    const { isHealthy, words } = await askHealth(ask, signal);
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

/** Asks `/healthz`. An edge that does not answer in time is not healthy. */
export async function askHealth(ask: AskEdge, signal: AbortSignal): Promise<HealthAnswer> {
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(answerMaxMs)]);
    const answer = await ask({ path: "/healthz", signal: limited });
    return { isHealthy: answer.status === 200, words: answer.text.trim() };
  } catch (error) {
    return { isHealthy: false, words: describeCertificateProblem(error) ?? "the edge does not answer" };
  }
}
