import { create } from "@bufbuild/protobuf";
import type { InquireResponse } from "../../gen/tripe/bank/v1/bank_service_pb.ts";
import { type Attempt, OutcomeKind, OutcomeSchema } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { ResolveAttemptsRequest } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { unreachable } from "../_runtime/assert.ts";
import { forEachLimited } from "../_runtime/for-each-limited.ts";
import { book, isHeld, postpone, SEALED_CARD_UNOPENED, submit, type TransactionsDependencies } from "./attempt.ts";
import { GIVE_UP_MS, retryDelayMs } from "./ladder.ts";
import { nextStep, type Step } from "./next-step.ts";
import { settleAttempt } from "./settle-attempt.ts";
import { settleLate } from "./settle-late.ts";

/** What a set may be without its last ones outliving their lease, when banks answer as they mostly do, within a second. */
const LIMIT_DEFAULT = 100;

/** Banks are asked about so many at once: enough to be done in time, few enough to leave merchants the lines. */
const CONCURRENCY = 20;

/** How long a bank may take for one inquiry or repeat: both fit into what is left of a lease when it is still held. */
const BANK_WAIT_MS = 3_500;

/**
 * Takes up attempts that are due and brings each to its end, or to its next try: a bank is asked what became of the
 * reference, and `nextStep` says what follows from its answer.
 */
export async function resolveAttempts(dependencies: TransactionsDependencies, { limit }: ResolveAttemptsRequest) {
  const askedMs = dependencies.clock.preciseMs();
  const { attempts } = await dependencies.clients.writer.leaseAttempts({ limit: limit === 0 ? LIMIT_DEFAULT : limit });
  let settledCount = 0;
  await forEachLimited(attempts, Math.min(CONCURRENCY, attempts.length), async (attempt) => {
    const isOurs = isHeld(dependencies, { attempt, askedMs });
    if (isOurs && (await resolve(dependencies, attempt))) settledCount += 1;
  });
  return { takenCount: attempts.length, settledCount };
}

async function resolve(dependencies: TransactionsDependencies, attempt: Attempt): Promise<boolean> {
  const { accountId, bankRef, bank, amount, attemptId, trace, acceptor } = attempt;
  try {
    const heard = await dependencies.clients.bank.inquire(
      { accountId, bankRef, bank, ...(amount && { amount }), ...(trace && { trace }), ...(acceptor && { acceptor }) },
      { timeoutMs: BANK_WAIT_MS },
    );
    return await take(dependencies, { attempt, heard, step: nextStep(attempt, heard) });
  } catch (error) {
    // One attempt's trouble is not its neighbours': its lease ends by itself, and it is due then.
    const reason = error instanceof Error ? error.message : "unknown";
    dependencies.log.warn("an attempt was not resolved", { attempt_id: attemptId, reason });
    return false;
  }
}

interface Resolving {
  readonly attempt: Attempt;
  readonly heard: InquireResponse;
  readonly step: Step;
}

/** Takes the step, and says whether the attempt is over. */
async function take(dependencies: TransactionsDependencies, { attempt, heard, step }: Resolving): Promise<boolean> {
  const { capabilities } = heard;
  switch (step.case) {
    case "settle":
      if (attempt.isGivenUp) await settleLate(dependencies, attempt, { outcome: step.outcome, capabilities });
      else await settleAttempt(dependencies, attempt, step.outcome);
      if (attempt.ageMs >= BigInt(GIVE_UP_MS)) await callOff(dependencies, attempt, "ATTEMPT_OVERDUE");
      await callOff(dependencies, attempt, SEALED_CARD_UNOPENED);
      return true;
    case "submit": {
      const submitted = await submit(dependencies, attempt, BANK_WAIT_MS);
      const end = await book(dependencies, attempt, submitted);
      if (submitted.alertReason === undefined) await callOff(dependencies, attempt, SEALED_CARD_UNOPENED);
      return end !== undefined;
    }
    case "wait": {
      const outcome = heard.outcome ?? create(OutcomeSchema, { kind: OutcomeKind.UNKNOWN });
      await postpone(dependencies, attempt, { outcome });
      return false;
    }
    case "give_up":
      await giveUp(dependencies, attempt);
      return false;
    default:
      return unreachable(step);
  }
}

/** Resolves an alert whose cause is over. Should this be lost, the alert stays for a person. */
async function callOff(
  { clients }: TransactionsDependencies,
  { accountId, attemptId }: Attempt,
  reason: string,
): Promise<void> {
  await clients.writer.resolveAlerts({ accountId, requestId: attemptId, objectId: attemptId, reason });
}

async function giveUp({ clients, random, log }: TransactionsDependencies, attempt: Attempt): Promise<void> {
  const { accountId, attemptId, fence } = attempt;
  const delayMs = BigInt(retryDelayMs(attempt, random));
  await clients.writer.giveUpAttempt({ accountId, requestId: `${attemptId}/${fence}`, attemptId, fence, delayMs });
  log.warn("an attempt was given up, or is overdue", { attempt_id: attemptId, tries: attempt.tries });
}
