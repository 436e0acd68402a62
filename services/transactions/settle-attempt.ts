import type { Attempt, Outcome } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Return } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { TransactionsDependencies } from "./attempt.ts";

/** What became of an attempt's noun. */
export type End =
  | { readonly case: "charge"; readonly value: Charge }
  | { readonly case: "return"; readonly value: Return };

/** Commit B of an attempt of any kind: the one place that knows which of the writer's settlements is its own. */
export async function settleAttempt(
  { clients }: TransactionsDependencies,
  attempt: Attempt,
  outcome: Outcome,
): Promise<End | undefined> {
  const { accountId, attemptId, chargeId, returnId, fence } = attempt;
  const settlement = { accountId, requestId: attemptId, attemptId, chargeId, fence, outcome };
  if (returnId === "") {
    const { charge } = await clients.writer.settleCharge(settlement);
    return charge && { case: "charge", value: charge };
  }
  const { return: record } = await clients.writer.settleReturn({ ...settlement, returnId });
  return record && { case: "return", value: record };
}
