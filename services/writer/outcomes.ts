import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type Outcome, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Decline, DeclineSchema } from "../../gen/tripe/billing/v1/decline_pb.ts";
import type { Query } from "../_database/connect.ts";
import { outcomes } from "../_database/rows/words.ts";
import { refuse } from "../_runtime/errors.ts";
import { raiseAlert } from "./alerts.ts";

/** Refuses with OUTCOME_NOT_FINAL what may or may not have happened: it is never booked as a failure. */
export function refuseUnknown(outcome: Outcome): void {
  if (outcome.kind === OutcomeKind.UNKNOWN || outcome.kind === OutcomeKind.UNSPECIFIED) {
    refuse(Code.InvalidArgument, "OUTCOME_NOT_FINAL", "only a final outcome settles an attempt", "outcome.kind");
  }
}

/** Why a final outcome that is not ACCEPTED failed: the bank's reason, or `processing_error` when no bank was reached. */
export function declineOfOutcome(outcome: Outcome): Decline {
  return outcome.decline ?? declineOfNoBank();
}

/** Why a charge failed that no bank's answer was had for. */
export function declineOfNoBank(): Decline {
  return create(DeclineSchema, { reason: "processing_error" });
}

/**
 * Holds what was just heard against how an attempt has ended. The same end passes. Another one is two answers of banks that
 * disagree: an alert is raised, nothing is overwritten, and it is refused with ANSWERS_DISAGREE. An attempt that is not
 * there is refused with ATTEMPT_NOT_FOUND.
 */
export async function compareOutcomes(
  query: Query,
  attempt: { accountId: string; attemptId: string; stored: string | undefined; heard: Outcome },
): Promise<void> {
  const { accountId, attemptId, stored, heard } = attempt;
  if (stored === undefined) refuse(Code.NotFound, "ATTEMPT_NOT_FOUND", `no attempt ${attemptId}`, "attempt_id");
  const isSame = (stored === "accepted") === (heard.kind === OutcomeKind.ACCEPTED);
  if (isSame || heard.kind === OutcomeKind.NOT_SENT) return;
  const details = { stored, heard: outcomes.word(heard.kind), bank: heard.bank };
  await raiseAlert(query, { accountId, reason: "ANSWERS_DISAGREE", objectId: attemptId, details });
  refuse(Code.FailedPrecondition, "ANSWERS_DISAGREE", `the attempt ${attemptId} has ended otherwise`, "outcome");
}
