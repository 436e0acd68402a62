import type { ExpireHoldsRequest } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { forEachLimited } from "../_runtime/for-each-limited.ts";
import { runAttempt, type TransactionsDependencies } from "./attempt.ts";

/** What a set may be without its last ones outliving their lease (as in resolve-attempts.ts). */
const LIMIT_DEFAULT = 100;

/** Banks are asked about so many at once (as in resolve-attempts.ts): merchants keep the other lines. */
const CONCURRENCY = 20;

/**
 * Lets go of what was not captured in time: commit A for the whole set, then the bank and commit B for each. What fails on
 * the way is an attempt like any other, due for the resolver.
 */
export async function expireHolds(dependencies: TransactionsDependencies, { limit }: ExpireHoldsRequest) {
  const { clients, clock, log } = dependencies;
  const askedMs = clock.preciseMs();
  const { attempts } = await clients.writer.beginExpiries({ limit: limit === 0 ? LIMIT_DEFAULT : limit });
  let releasedCount = 0;
  await forEachLimited(attempts, Math.min(CONCURRENCY, attempts.length), async (attempt) => {
    try {
      if ((await runAttempt(dependencies, { attempt, askedMs })) !== undefined) releasedCount += 1;
    } catch (error) {
      // One hold's trouble is not its neighbours': its lease ends by itself, and it is due then.
      const reason = error instanceof Error ? error.message : "unknown";
      log.warn("a hold was not let go", { attempt_id: attempt.attemptId, reason });
    }
  });
  return { takenCount: attempts.length, releasedCount };
}
