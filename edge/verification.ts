import { Code } from "@connectrpc/connect";
import { refusalOf } from "../services/_runtime/errors.ts";
import type { PublicRequest } from "./route.ts";

/** Has a payment method that came with a publishable key verified at the bank. */
export async function verifyPaymentMethod(
  { account, accountId, clients }: Pick<PublicRequest, "account" | "accountId" | "clients">,
  paymentMethodId: string,
): Promise<void> {
  const { acceptor } = account;
  await clients.transactions.verifyPaymentMethod({ accountId, paymentMethodId, ...(acceptor && { acceptor }) });
}

/**
 * Does a write that attaches a payment method. One that came with a publishable key is verified first: the writer refuses it
 * until it is, which leaves the request id free, and names it.
 */
export async function withVerification<Written>(
  request: Pick<PublicRequest, "account" | "accountId" | "clients">,
  write: () => Promise<Written>,
): Promise<Written> {
  try {
    return await write();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal?.code !== Code.FailedPrecondition || refusal.reason !== "VERIFICATION_DUE") throw error;
    await verifyPaymentMethod(request, refusal.field);
    return write();
  }
}
