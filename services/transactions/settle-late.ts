import type { Capabilities } from "../../gen/tripe/bank/v1/bank_service_pb.ts";
import { type Attempt, AttemptKind, type Outcome } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { createId } from "../_runtime/ids.ts";
import type { TransactionsDependencies } from "./attempt.ts";

/**
 * Books what a bank says at last of an attempt that was given up. What it did after all is given back by an attempt of its
 * own: a reversal, where the bank takes reversals, else a refund. That one is due at once, and the resolver's.
 */
export async function settleLate(
  { clients, log }: TransactionsDependencies,
  attempt: Attempt,
  { outcome, capabilities }: { outcome: Outcome; capabilities: Capabilities | undefined },
): Promise<void> {
  const { accountId, attemptId } = attempt;
  const returnKind = capabilities?.reversal === false ? AttemptKind.REFUND : AttemptKind.REVERSE;
  const returnAttemptId = createId("att_");
  const late = { accountId, requestId: attemptId, attemptId, outcome, returnAttemptId, returnKind };
  const { isSettledHere } = await clients.writer.settleLateAttempt(late);
  if (isSettledHere) log.warn("a bank answered after its attempt was given up", { attempt_id: attemptId });
}

/** Books what became of an attempt that gives such money back. */
export async function settleAutomaticReturn(
  { clients }: Pick<TransactionsDependencies, "clients">,
  { accountId, attemptId }: Attempt,
  outcome: Outcome,
): Promise<void> {
  await clients.writer.settleAutomaticReturn({ accountId, requestId: attemptId, attemptId, outcome });
}
