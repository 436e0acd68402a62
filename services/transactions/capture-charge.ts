import type { CaptureChargeRequest } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { runAttempt, type TransactionsDependencies } from "./attempt.ts";

/**
 * Takes what is held, once per request id, in the same three steps as a charge is made. A bank that says no is a decline,
 * and the charge is held as before; one that does not answer in time leaves the charge as it is until the resolver ends it.
 */
export async function captureCharge(dependencies: TransactionsDependencies, request: CaptureChargeRequest) {
  const { accountId, requestId, requestDigest, chargeId, amountMinor } = request;
  const askedMs = dependencies.clock.preciseMs();
  const { charge, attempt, decline } = await dependencies.clients.writer.beginCapture({
    accountId,
    requestId,
    requestDigest,
    chargeId,
    amountMinor,
    attemptId: createId("att_"),
  });
  if (attempt === undefined) return { ...(charge && { charge }), ...(decline && { decline }), isReplayed: true };
  const end = await runAttempt(dependencies, { attempt, askedMs });
  if (end?.case !== "charge") return { ...(charge && { charge }), isReplayed: false };
  return { charge: end.value, ...(end.decline && { decline: end.decline }), isReplayed: false };
}
