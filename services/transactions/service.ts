import type { ServiceImpl } from "@connectrpc/connect";
import type { TransactionsService } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import type { TransactionsDependencies } from "./attempt.ts";
import { captureCharge } from "./capture-charge.ts";
import { collectInvoice } from "./collect-invoice.ts";
import { createCharge } from "./create-charge.ts";
import { createReturn } from "./create-return.ts";
import { expireHolds } from "./expire-holds.ts";
import { resolveAttempts } from "./resolve-attempts.ts";
import { verifyPaymentMethod } from "./verify-payment-method.ts";

/** Creates the service that runs transactions: how money moves. */
export function createTransactions(dependencies: TransactionsDependencies): ServiceImpl<typeof TransactionsService> {
  return {
    createCharge: (request) => createCharge(dependencies, request),
    captureCharge: (request) => captureCharge(dependencies, request),
    expireHolds: (request) => expireHolds(dependencies, request),
    createReturn: (request) => createReturn(dependencies, request),
    collectInvoice: (request) => collectInvoice(dependencies, request),
    verifyPaymentMethod: (request) => verifyPaymentMethod(dependencies, request),
    resolveAttempts: (request) => resolveAttempts(dependencies, request),
  };
}
