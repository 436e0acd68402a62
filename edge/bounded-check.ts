import type { Clock } from "../services/_runtime/clock.ts";

/** What a check found: its answer, or for how long there has been none. */
export type Checked<Answer> = { readonly answer: Answer } | { readonly silentMs: number };

/** What a check needs. `ask` rejects when it gets no answer. */
export interface BoundedCheckOptions<Answer> {
  readonly ask: () => Promise<Answer>;
  /** How long a caller waits for an answer at most. */
  readonly waitMs: number;
  readonly clock: Clock;
}

/**
 * Creates a check that never hangs: one question is under way at a time, however many want to know, and who has waited for
 * `waitMs` goes on with how long the silence lasts. Never rejects.
 */
export function createBoundedCheck<Answer>({
  ask,
  waitMs,
  clock,
}: BoundedCheckOptions<Answer>): () => Promise<Checked<Answer>> {
  let answeredMs = clock.preciseMs();
  let running: Promise<Checked<Answer>> | undefined;
  const silent = () => ({ silentMs: clock.preciseMs() - answeredMs });
  const askOnce = async (): Promise<Checked<Answer>> => {
    try {
      const answer = await ask();
      answeredMs = clock.preciseMs();
      return { answer };
    } catch {
      return silent();
    } finally {
      running = undefined;
    }
  };
  return async () => {
    running ??= askOnce();
    const waiting = new AbortController();
    const timeout = clock.sleep(waitMs, waiting.signal).then(silent, silent);
    try {
      return await Promise.race([running, timeout]);
    } finally {
      waiting.abort();
    }
  };
}
