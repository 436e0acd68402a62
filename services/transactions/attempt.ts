import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type Attempt, type Outcome, OutcomeKind, OutcomeSchema } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { createCall, currentCall, runCall } from "../_runtime/call.ts";
import type { ClientsOf } from "../_runtime/clients.ts";
import type { Clock } from "../_runtime/clock.ts";
import { refusalOf } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import { BANK_WAIT_MAX_MS, retryDelayMs } from "./ladder.ts";
import { type End, isOverUnsent, settleAttempt } from "./settle-attempt.ts";

/** What moving money stands on. */
export interface TransactionsDependencies {
  readonly clients: ClientsOf<"transactions">;
  readonly clock: Clock;
  readonly log: Log;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
}

/** What of the caller's time is kept for commit B, so that its answer is still heard: a slow flush, ten times over. */
const SETTLE_RESERVE_MS = 500;

/**
 * How long after asking for a lease its holder may begin to submit. The writer leases for 20 s; the longest wait for a bank
 * and a settlement fit into what is left.
 */
const HOLD_MS = 12_000;

/** A caller that leaves less than this is not worth asking a bank for: the resolver will. */
const BANK_WAIT_MIN_MS = 200;

/** An attempt and the moment, by the clock's `preciseMs`, at which its lease was asked for. */
export interface Leased {
  readonly attempt: Attempt;
  readonly askedMs: number;
}

/**
 * Says whether its lease is surely still ours. A process that was paused for longer finds the attempt in other hands: it
 * then leaves it alone, whatever it was about to do.
 */
export function isHeld({ clock, log }: TransactionsDependencies, { attempt, askedMs }: Leased): boolean {
  const isIt = clock.preciseMs() - askedMs < HOLD_MS;
  if (!isIt) log.warn("an attempt was left to the resolver: its lease is over", { attempt_id: attempt.attemptId });
  return isIt;
}

/**
 * Asks the bank and books what it says. Undefined when that is not known yet: the attempt is then due again later, never
 * failed. Once money may move, nobody's hanging up stops it: the caller's deadline only bounds how long the bank is
 * waited for.
 */
export async function runAttempt(dependencies: TransactionsDependencies, leased: Leased): Promise<End | undefined> {
  if (!isHeld(dependencies, leased)) return undefined;
  const { attempt } = leased;
  const caller = currentCall();
  const leftMs = (caller?.deadlineMs ?? Number.POSITIVE_INFINITY) - dependencies.clock.nowMs() - SETTLE_RESERVE_MS;
  const waitMs = Math.max(BANK_WAIT_MIN_MS, Math.min(leftMs, BANK_WAIT_MAX_MS));
  const detached = createCall({
    caller: "transactions",
    ...(caller && { requestId: caller.requestId, traceId: caller.traceId, spanId: caller.spanId, spans: caller.spans }),
    ...(caller && { startMs: caller.startMs, clientKey: caller.clientKey }),
  });
  return runCall(detached, async () => book(dependencies, attempt, await submit(dependencies, attempt, waitMs)));
}

/** Books a bank's answer: settles what is final, and puts off what is not. */
export async function book(
  dependencies: TransactionsDependencies,
  attempt: Attempt,
  submitted: Submitted,
): Promise<End | undefined> {
  const { outcome } = submitted;
  switch (outcome.kind) {
    case OutcomeKind.ACCEPTED:
    case OutcomeKind.DECLINED:
      return settleAttempt(dependencies, attempt, outcome);
    case OutcomeKind.NOT_SENT:
      // What was asked before may have been done: only a first try that reached no bank is sure to have done nothing.
      return attempt.tries === 0 && isOverUnsent(attempt)
        ? settleAttempt(dependencies, attempt, outcome)
        : postpone(dependencies, attempt, submitted);
    default:
      return postpone(dependencies, attempt, submitted);
  }
}

/** The bank service refuses with these before anything is sent: what cannot be asked of a bank has not been done. */
const REFUSED: ReadonlySet<Code> = new Set([Code.InvalidArgument, Code.FailedPrecondition]);

/** What became of asking a bank. */
export interface Submitted {
  readonly outcome: Outcome;
  /** The reason of a fault of Tripe's own that kept the bank from being asked, for an alert; empty when there was none. */
  readonly alertReason?: string;
}

/** A card that does not open, for want of its key: an operator has to bring the key back, and the attempt is then done. */
export const SEALED_CARD_UNOPENED = "SEALED_CARD_UNOPENED";

/** How long such an attempt waits at most for its next try: a minute after the key is back, all are done. */
const FAULT_WAIT_MAX_MS = 60_000;

/**
 * Asks the bank to do what the attempt says. What the bank service refuses to ask is NOT_SENT; whatever else goes wrong on
 * the way, the outcome is UNKNOWN.
 */
export async function submit(
  { clients, log }: TransactionsDependencies,
  attempt: Attempt,
  timeoutMs: number,
): Promise<Submitted> {
  try {
    const { outcome } = await clients.bank.submit(
      {
        accountId: attempt.accountId,
        paymentMethodId: attempt.paymentMethodId,
        kind: attempt.kind,
        bankRef: attempt.bankRef,
        originalBankRef: attempt.originalBankRef,
        sealedCard: attempt.sealedCard,
        ...(attempt.amount && { amount: attempt.amount }),
        tries: attempt.tries,
        bank: attempt.bank,
        ...(attempt.trace && { trace: attempt.trace }),
        ...(attempt.original && { original: attempt.original }),
        ...(attempt.acceptor && { acceptor: attempt.acceptor }),
      },
      { timeoutMs },
    );
    return { outcome: outcome ?? create(OutcomeSchema, { kind: OutcomeKind.UNKNOWN }) };
  } catch (error) {
    log.warn("the bank service did not answer", { attempt_id: attempt.attemptId, reason: reasonOf(error) });
    const refused = refusalOf(error);
    const isSure = refused !== undefined && REFUSED.has(refused.code);
    return {
      outcome: create(OutcomeSchema, { kind: isSure ? OutcomeKind.NOT_SENT : OutcomeKind.UNKNOWN }),
      ...(refused?.reason === SEALED_CARD_UNOPENED && { alertReason: SEALED_CARD_UNOPENED }),
    };
  }
}

/** Leaves an attempt to a later try. */
export async function postpone(
  { clients, random, log }: TransactionsDependencies,
  attempt: Attempt,
  { outcome: { bank }, alertReason = "" }: Submitted,
): Promise<undefined> {
  const { accountId, attemptId, fence } = attempt;
  const ladderMs = retryDelayMs(attempt, random);
  const delayMs = BigInt(alertReason === "" ? ladderMs : Math.min(ladderMs, FAULT_WAIT_MAX_MS));
  const requestId = `${attemptId}/${fence}`;
  try {
    await clients.writer.postponeAttempt({ accountId, requestId, attemptId, fence, delayMs, bank, alertReason });
  } catch (error) {
    // The lease ends by itself, and the attempt is due then.
    log.warn("an attempt was not put off", { attempt_id: attemptId, reason: reasonOf(error) });
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  return refusalOf(error)?.reason ?? (error instanceof Error ? error.message : "unknown");
}
