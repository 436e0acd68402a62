import type { CreateReturnRequest } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { runAttempt, type TransactionsDependencies } from "./attempt.ts";

/** Gives money of a charge back, once per request id, in the same three steps as a charge is made. */
export async function createReturn(dependencies: TransactionsDependencies, request: CreateReturnRequest) {
  const { accountId, requestId, requestDigest, chargeId, amountMinor, reason, metadata } = request;
  const askedMs = dependencies.clock.preciseMs();
  const begun = await dependencies.clients.writer.beginReturn({
    accountId,
    requestId,
    requestDigest,
    chargeId,
    amountMinor,
    reason,
    metadata,
    returnId: createId("re_"),
    attemptId: createId("att_"),
  });
  if (begun.attempt === undefined) return { ...(begun.return && { return: begun.return }), isReplayed: true };
  const end = await runAttempt(dependencies, { attempt: begun.attempt, askedMs });
  const record = end?.case === "return" ? end.value : begun.return;
  return { ...(record && { return: record }), isReplayed: false };
}
