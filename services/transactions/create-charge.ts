import type { CreateChargeRequest } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { runAttempt, type TransactionsDependencies } from "./attempt.ts";

/**
 * Takes money from a card, once per request id: commit A, the bank, commit B. A crash after A leaves an attempt that is due
 * for the resolver; the same request again is answered with what became of it.
 */
export async function createCharge(dependencies: TransactionsDependencies, request: CreateChargeRequest) {
  const { accountId, requestId, requestDigest, tokenId, charge: asked } = request;
  const askedMs = dependencies.clock.preciseMs();
  const begun = await dependencies.clients.writer.beginCharge({
    accountId,
    requestId,
    requestDigest,
    tokenId,
    ...(asked && { charge: { ...asked, chargeId: createId("ch_") } }),
    attemptId: createId("att_"),
  });
  if (begun.attempt === undefined) return { ...(begun.charge && { charge: begun.charge }), isReplayed: true };
  const end = await runAttempt(dependencies, { attempt: begun.attempt, askedMs });
  const charge = end?.case === "charge" ? end.value : begun.charge;
  return { ...(charge && { charge }), isReplayed: false };
}
