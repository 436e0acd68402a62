import { type Attempt, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { ResolveAttemptsRequest } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { book, isHeld, submit, type TransactionsDependencies } from "./attempt.ts";

/** What a set may be without its last ones outliving their lease, when banks answer as they mostly do, within a second. */
const LIMIT_DEFAULT = 100;

/** Banks are asked about so many at once: enough to be done in time, few enough to leave merchants the lines. */
const CONCURRENCY = 20;

/** How long a bank may take for one inquiry or repeat: both fit into what is left of a lease when it is still held. */
const BANK_WAIT_MS = 3_500;

/**
 * Takes up attempts that are due and brings each to its end, or to its next try. A bank is asked what became of the
 * reference; one that has never heard of it is asked again to do it, under the same reference.
 */
export async function resolveAttempts(dependencies: TransactionsDependencies, { limit }: ResolveAttemptsRequest) {
  const askedMs = dependencies.clock.preciseMs();
  const { attempts } = await dependencies.clients.writer.leaseAttempts({ limit: limit === 0 ? LIMIT_DEFAULT : limit });
  let settledCount = 0;
  const queue = attempts.values();
  const work = async () => {
    for (const attempt of queue) {
      const isOurs = isHeld(dependencies, { attempt, askedMs });
      if (isOurs && (await resolve(dependencies, attempt))) settledCount += 1;
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, attempts.length) }, work));
  return { takenCount: attempts.length, settledCount };
}

async function resolve(dependencies: TransactionsDependencies, attempt: Attempt): Promise<boolean> {
  const { clients, log } = dependencies;
  const { accountId, bankRef, bank, amount, attemptId } = attempt;
  try {
    const heard = await clients.bank.inquire(
      { accountId, bankRef, bank, ...(amount && { amount }) },
      { timeoutMs: BANK_WAIT_MS },
    );
    const isOver = heard.isKnown && heard.outcome !== undefined && heard.outcome.kind !== OutcomeKind.UNKNOWN;
    // An outcome of UNKNOWN means that the bank could not be asked: then it is not asked to act either.
    if (!isOver && heard.outcome?.kind === OutcomeKind.UNKNOWN) {
      return (await book(dependencies, attempt, heard.outcome)) !== undefined;
    }
    const outcome = isOver && heard.outcome ? heard.outcome : await submit(dependencies, attempt, BANK_WAIT_MS);
    return (await book(dependencies, attempt, outcome)) !== undefined;
  } catch (error) {
    // One attempt's trouble is not its neighbours': its lease ends by itself, and it is due then.
    const reason = error instanceof Error ? error.message : "unknown";
    log.warn("an attempt was not resolved", { attempt_id: attemptId, reason });
    return false;
  }
}
