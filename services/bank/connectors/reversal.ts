import type { Clock } from "../../_runtime/clock.ts";
import type { BankAnswer, MoneyRequest } from "../connector.ts";

/** How long one sending waits for its acknowledgement: most banks answer within a second, and a caller's 7.5 s hold three repeats. */
const ACKNOWLEDGE_MS = 2_000;

/**
 * Sends a reversal, and its repeats, until the bank acknowledges it or the time is over; then it is unknown, and whoever asked sends it
 * again as a repeat, from where it is durable. An answer that does not decide is an acknowledgement too: asking faster would not change it.
 */
export async function untilAcknowledged(
  send: (request: MoneyRequest) => Promise<BankAnswer>,
  clock: Clock,
  request: MoneyRequest,
): Promise<BankAnswer> {
  const endMs = clock.preciseMs() + request.timeoutMs;
  let unknown: BankAnswer | undefined;
  for (let isRepeat = request.isRepeat; ; isRepeat = true) {
    const startMs = clock.preciseMs();
    const timeoutMs = Math.max(0, Math.min(ACKNOWLEDGE_MS, endMs - startMs));
    const answer = await send({ ...request, isRepeat, timeoutMs });
    if (answer.outcome === "unknown" ? answer.reason === "undecided" : answer.outcome !== "not_sent") return answer;
    // What was sent once may have been done, also when its repeat did not leave.
    if (answer.outcome === "not_sent" && unknown === undefined) return answer;
    if (answer.outcome === "unknown") unknown = answer;
    const nextMs = startMs + ACKNOWLEDGE_MS;
    if (nextMs >= endMs) return unknown ?? answer;
    // A bank that spoils its answers at once is not asked faster than one that says nothing.
    const restMs = nextMs - clock.preciseMs();
    if (restMs > 0) await clock.sleep(restMs);
  }
}
