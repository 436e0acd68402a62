import type { ServiceImpl } from "@connectrpc/connect";
import type { ReaderService } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import type { Query } from "../_database/connect.ts";
import { accountOf } from "../_database/rows/account.ts";
import { chargeOf } from "../_database/rows/charge.ts";
import { customerOf } from "../_database/rows/customer.ts";
import { paymentMethodOf, tokenOf } from "../_database/rows/payment-method.ts";
import { returnOf } from "../_database/rows/return.ts";
import { findApiKeys, getApiKey, listAccounts, listApiKeys } from "./accounts.ts";
import { countAlerts, listAlerts } from "./alerts.ts";
import { findAccount, findCharge, findCustomer, findPaymentMethod, findReturn, findToken } from "./findings.ts";
import { findLedgerTransfer, ledgerTransferOf } from "./ledger-transfers.ts";
import { equals, list } from "./list.ts";
import { charges, customers, paymentMethods, returns } from "./listings.ts";
import { createOne } from "./one.ts";
import type { Filter } from "./page.ts";
import { createGetPayer } from "./payer.ts";

/** Reads accounts, customers, cards, charges, returns and the ledger. */
export function readPayments(query: Query) {
  const getPayer = createGetPayer(query);
  const getAccount = createOne(query, findAccount, accountOf);
  const getCustomer = createOne(query, findCustomer, customerOf);
  const getPaymentMethod = createOne(query, findPaymentMethod, paymentMethodOf);
  const getToken = createOne(query, findToken, tokenOf);
  const getCharge = createOne(query, findCharge, chargeOf);
  const getReturn = createOne(query, findReturn, returnOf);
  const getLedgerTransfer = createOne(query, findLedgerTransfer, ledgerTransferOf);
  return {
    getApiKey: (request) => getApiKey(query, request),
    findApiKeys: (request) => findApiKeys(query, request),
    listAccounts: (request) => listAccounts(query, request),
    listApiKeys: (request) => listApiKeys(query, request),
    getAccount: async ({ accountId }) => ({ account: await getAccount({ accountId, id: accountId }) }),
    getPayer,
    getCustomer: async ({ accountId, customerId: id }) => ({ customer: await getCustomer({ accountId, id }) }),
    listCustomers: async (request) => {
      const filters = [equals("email", request.email), { column: "delete_time", operator: "is", value: null } as const];
      const { nouns, ...page } = await list(query, customers, request, filters, customerOf);
      return { customers: nouns, ...page };
    },
    getPaymentMethod: async ({ accountId, paymentMethodId: id }) => ({
      paymentMethod: await getPaymentMethod({ accountId, id }),
    }),
    listPaymentMethods: async (request) => {
      const filters = [equals("customer_id", request.customerId)];
      const { nouns, ...page } = await list(query, paymentMethods, request, filters, paymentMethodOf);
      return { paymentMethods: nouns, ...page };
    },
    getToken: async ({ accountId, tokenId: id }) => ({ token: await getToken({ accountId, id }) }),
    getCharge: async ({ accountId, chargeId: id }) => ({ charge: await getCharge({ accountId, id }) }),
    listCharges: async (request) => {
      const filters = [equals("customer_id", request.customerId), transferGroup(request.transferGroup)];
      const { nouns, ...page } = await list(query, charges, request, filters, chargeOf);
      return { charges: nouns, ...page };
    },
    getReturn: async ({ accountId, returnId: id }) => ({ return: await getReturn({ accountId, id }) }),
    listReturns: async (request) => {
      const filters = [equals("charge_id", request.chargeId)];
      const { nouns, ...page } = await list(query, returns, request, filters, returnOf);
      return { returns: nouns, ...page };
    },
    countAlerts: () => countAlerts(query),
    listAlerts: (request) => listAlerts(query, request),
    getLedgerTransfer: async ({ accountId, ledgerTransferId: id }) => ({
      ledgerTransfer: await getLedgerTransfer({ accountId, id }),
    }),
  } satisfies Partial<ServiceImpl<typeof ReaderService>>;
}

function transferGroup(value: string): Filter {
  return { ...equals("transfer_group", value), isIndexedWhenGiven: true };
}
