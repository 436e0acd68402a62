import { type Attempt, AttemptKind, type Outcome } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Decline } from "../../gen/tripe/billing/v1/decline_pb.ts";
import type { Return } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { TransactionsDependencies } from "./attempt.ts";
import { settleAutomaticReturn } from "./settle-late.ts";

/** What became of an attempt's noun; with a decline, a capture that failed and left its charge as it was. */
export type End =
  | { readonly case: "charge"; readonly value: Charge; readonly decline?: Decline }
  | { readonly case: "return"; readonly value: Return }
  /** What a bank took too late is given back, or never will be by itself: nobody's noun changes. */
  | { readonly case: "automatic" };

/** Commit B of an attempt of any kind: the one place that knows which of the writer's settlements is its own. */
export async function settleAttempt(
  dependencies: TransactionsDependencies,
  attempt: Attempt,
  outcome: Outcome,
): Promise<End | undefined> {
  if (attempt.isAutomatic) {
    await settleAutomaticReturn(dependencies, attempt, outcome);
    return { case: "automatic" };
  }
  const { writer } = dependencies.clients;
  const { accountId, attemptId, chargeId, returnId, fence, kind } = attempt;
  const settlement = { accountId, requestId: attemptId, attemptId, chargeId, fence, outcome };
  if (kind === AttemptKind.CAPTURE) {
    const { charge, decline } = await writer.settleCapture(settlement);
    return charge && { case: "charge", value: charge, ...(decline && { decline }) };
  }
  if (kind === AttemptKind.REVERSE) {
    const { charge, return: record } = await writer.settleRelease({ ...settlement, returnId });
    if (record !== undefined) return { case: "return", value: record };
    return charge && { case: "charge", value: charge };
  }
  if (kind === AttemptKind.REFUND) {
    const { return: record } = await writer.settleReturn({ ...settlement, returnId });
    return record && { case: "return", value: record };
  }
  const { charge } = await writer.settleCharge(settlement);
  return charge && { case: "charge", value: charge };
}

/**
 * Whether an attempt that reached no bank is over with that: somebody waits for it, and may try again. Nobody waits for what
 * Tripe does by itself, as letting go of a hold that has expired, so it is asked for until a bank has heard it.
 */
export function isOverUnsent({ kind, returnId, isAutomatic }: Attempt): boolean {
  return !isAutomatic && (kind !== AttemptKind.REVERSE || returnId !== "");
}
