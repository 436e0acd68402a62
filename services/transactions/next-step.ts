import { create } from "@bufbuild/protobuf";
import type { InquireResponse } from "../../gen/tripe/bank/v1/bank_service_pb.ts";
import { type Attempt, type Outcome, OutcomeKind, OutcomeSchema } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { BANK_WAIT_MAX_MS, GIVE_UP_MS } from "./ladder.ts";

/** What is to be done about an attempt now that a bank was asked about it. */
export type Step =
  /** It is over. */
  | { readonly case: "settle"; readonly outcome: Outcome }
  /** The bank is to be asked again to do it, under the same reference. */
  | { readonly case: "submit" }
  /** Nothing can be known yet. */
  | { readonly case: "wait" }
  /** Nothing will be known in time. */
  | { readonly case: "give_up" };

const WAIT: Step = { case: "wait" };

/**
 * Says what is to be done about an attempt that is due (3-money.md), from what its bank says of it, what that bank can do,
 * and for how long it has been asked: pure. What may have happened is never taken for a failure; that it did not happen is
 * taken from a bank's "never heard of it" alone, and only once what was sent can take effect no more.
 */
export function nextStep(attempt: Attempt, heard: InquireResponse): Step {
  const { outcome, capabilities } = heard;
  if (outcome?.kind === OutcomeKind.ACCEPTED || outcome?.kind === OutcomeKind.DECLINED)
    return { case: "settle", outcome };
  const isOverdue = attempt.ageMs >= BigInt(GIVE_UP_MS);
  const isUnheardOf = !heard.isKnown && capabilities?.inquiry === true;
  if (isUnheardOf)
    return isOverdue || attempt.isGivenUp ? settleAfter(attempt, heard, GIVE_UP_MS) : ask(attempt, heard);
  if (attempt.isGivenUp) return WAIT;
  if (isOverdue) return { case: "give_up" };
  // A bank that answers no questions is asked by a repeat, when a repeat is harmless there.
  return capabilities?.inquiry === false && capabilities.idempotentSubmit ? { case: "submit" } : WAIT;
}

/** The bank has never heard of it: it is told again, or, where a repeat might be done twice, left until it never happened. */
function ask(attempt: Attempt, heard: InquireResponse): Step {
  if (heard.capabilities?.idempotentSubmit === true) return { case: "submit" };
  return settleAfter(attempt, heard, BANK_WAIT_MAX_MS);
}

/** It never happened, when the last time it can have been sent lies further back than a bank is late by. */
function settleAfter({ ageMs }: Attempt, { capabilities }: InquireResponse, lastSentMs: number): Step {
  const isCertain = ageMs >= BigInt(lastSentMs) + (capabilities?.lateWindowMs ?? 0n);
  return isCertain ? { case: "settle", outcome: create(OutcomeSchema, { kind: OutcomeKind.NOT_SENT }) } : WAIT;
}
