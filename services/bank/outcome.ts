import type { MessageInitShape } from "@bufbuild/protobuf";
import { OutcomeKind, type OutcomeSchema } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { unreachable } from "../_runtime/errors.ts";
import type { BankAnswer } from "./connector.ts";
import type { Routed } from "./router.ts";

/** Puts a bank's answer into the words of the contract. */
export function toOutcome({ bank, answer }: Routed<BankAnswer>): MessageInitShape<typeof OutcomeSchema> {
  switch (answer.outcome) {
    case "accepted":
      return {
        kind: OutcomeKind.ACCEPTED,
        authorizationCode: answer.authorizationCode,
        networkReference: answer.networkReference,
        bank,
      };
    case "declined":
      return {
        kind: OutcomeKind.DECLINED,
        decline: { reason: answer.reason, responseCode: answer.responseCode },
        networkReference: answer.networkReference,
        bank,
      };
    case "not_sent":
      return { kind: OutcomeKind.NOT_SENT, bank };
    case "unknown":
      return { kind: OutcomeKind.UNKNOWN, bank };
    default:
      return unreachable(answer);
  }
}
