import type { VerifyPaymentMethodRequest } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import type { TransactionsDependencies } from "./attempt.ts";

/**
 * Has the bank verify a card that came with a publishable key, once it is used. It moves no money, so that a verification that
 * was lost may be asked for again; a bank that does not answer leaves the check unavailable.
 */
export async function verifyPaymentMethod(
  { clients }: Pick<TransactionsDependencies, "clients">,
  { accountId, paymentMethodId, acceptor }: VerifyPaymentMethodRequest,
) {
  const key = { accountId, paymentMethodId };
  const { isDue, sealedCard, sealedCvc } = await clients.writer.beginVerification(key);
  if (!isDue) return {};
  const { cvcCheck, verificationDecline } = await clients.bank.verifyCard({
    ...{ ...key, sealedCard, sealedCvc },
    ...(acceptor && { acceptor }),
  });
  await clients.writer.settleVerification({ ...key, cvcCheck, ...(verificationDecline && { verificationDecline }) });
  return {};
}
