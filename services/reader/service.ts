import type { ServiceImpl } from "@connectrpc/connect";
import type { ReaderService } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import type { Database, Query } from "../_database/connect.ts";
import { chargeOf } from "../_database/rows/charge.ts";
import { customerOf } from "../_database/rows/customer.ts";
import { eventOf } from "../_database/rows/event.ts";
import { type InvoiceRow, invoiceItemOf, invoicePaymentOf } from "../_database/rows/invoice.ts";
import { paymentMethodOf, tokenOf } from "../_database/rows/payment-method.ts";
import { priceOf, productOf } from "../_database/rows/product.ts";
import { returnOf } from "../_database/rows/return.ts";
import type { SubscriptionRow } from "../_database/rows/subscription.ts";
import { accountOf, getApiKey } from "./accounts.ts";
import { invoiceFilters, priceFilters, subscriptionFilters, withItems, withLines } from "./billing.ts";
import { listUndispatchedEvents } from "./events.ts";
import {
  findAccount,
  findCharge,
  findCustomer,
  findEvent,
  findInvoice,
  findInvoiceItem,
  findPaymentMethod,
  findPrice,
  findProduct,
  findReturn,
  findSubscription,
  findToken,
} from "./findings.ts";
import { findLedgerTransfer, ledgerTransferOf } from "./ledger-transfers.ts";
import {
  charges,
  customers,
  invoiceItems,
  invoicePayments,
  invoices,
  paymentMethods,
  prices,
  products,
  returns,
  subscriptions,
} from "./listings.ts";
import { createOne } from "./one.ts";
import { type Filter, type Listing, nextPageToken, type Page, readPage } from "./page.ts";
import { getPayer } from "./payer.ts";

/** Creates the reader: it reads, and changes nothing. */
export function createReader({ database }: { readonly database: Database }): ServiceImpl<typeof ReaderService> {
  const { query } = database;
  const getAccount = createOne(query, findAccount, accountOf);
  const getCustomer = createOne(query, findCustomer, customerOf);
  const getPaymentMethod = createOne(query, findPaymentMethod, paymentMethodOf);
  const getToken = createOne(query, findToken, tokenOf);
  const getCharge = createOne(query, findCharge, chargeOf);
  const getReturn = createOne(query, findReturn, returnOf);
  const getLedgerTransfer = createOne(query, findLedgerTransfer, ledgerTransferOf);
  const getProduct = createOne(query, findProduct, productOf);
  const getPrice = createOne(query, findPrice, priceOf);
  const getInvoice = createOne<InvoiceRow, InvoiceRow>(query, findInvoice, same);
  const getInvoiceItem = createOne(query, findInvoiceItem, invoiceItemOf);
  const getSubscription = createOne<SubscriptionRow, SubscriptionRow>(query, findSubscription, same);
  const getEvent = createOne(query, findEvent, eventOf);
  return {
    getApiKey: (request) => getApiKey(query, request),
    getAccount: async ({ accountId }) => ({ account: await getAccount({ accountId, id: accountId }) }),
    getPayer: (request) => getPayer(query, request),
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
    getLedgerTransfer: async ({ accountId, ledgerTransferId: id }) => ({
      ledgerTransfer: await getLedgerTransfer({ accountId, id }),
    }),
    getProduct: async ({ accountId, productId: id }) => ({ product: await getProduct({ accountId, id }) }),
    listProducts: async (request) => {
      const filters: Filter[] = [{ column: "is_active", operator: "=", value: request.isActive }];
      const { nouns, ...page } = await list(query, products, request, filters, productOf);
      return { products: nouns, ...page };
    },
    getPrice: async ({ accountId, priceId: id }) => ({ price: await getPrice({ accountId, id }) }),
    listPrices: async (request) => {
      const { nouns, ...page } = await list(query, prices, request, priceFilters(request), priceOf);
      return { prices: nouns, ...page };
    },
    getInvoice: async ({ accountId, invoiceId: id }) => {
      const [invoice] = await withLines(query, accountId, [await getInvoice({ accountId, id })]);
      return { ...(invoice && { invoice }) };
    },
    listInvoices: async (request) => {
      const { nouns, ...page } = await list<InvoiceRow, InvoiceRow>(
        query,
        invoices,
        request,
        invoiceFilters(request),
        same,
      );
      return { invoices: await withLines(query, request.accountId, nouns), ...page };
    },
    getInvoiceItem: async ({ accountId, invoiceItemId: id }) => ({
      invoiceItem: await getInvoiceItem({ accountId, id }),
    }),
    listInvoiceItems: async (request) => {
      const pending: Filter = { column: "invoice_id", operator: "is", value: request.isPending ? null : undefined };
      const filters = [equals("customer_id", request.customerId), equals("invoice_id", request.invoiceId), pending];
      const { nouns, ...page } = await list(query, invoiceItems, request, filters, invoiceItemOf);
      return { invoiceItems: nouns, ...page };
    },
    listInvoicePayments: async (request) => {
      const filters = [equals("invoice_id", request.invoiceId)];
      const { nouns, ...page } = await list(query, invoicePayments, request, filters, invoicePaymentOf);
      return { invoicePayments: nouns, ...page };
    },
    getSubscription: async ({ accountId, subscriptionId: id }) => {
      const [subscription] = await withItems(query, accountId, [await getSubscription({ accountId, id })]);
      return { ...(subscription && { subscription }) };
    },
    listSubscriptions: async (request) => {
      const filters = await subscriptionFilters(query, request);
      const { nouns, ...page } = await list<SubscriptionRow, SubscriptionRow>(
        query,
        subscriptions,
        request,
        filters,
        same,
      );
      return { subscriptions: await withItems(query, request.accountId, nouns), ...page };
    },
    getEvent: async ({ accountId, eventId: id }) => ({ event: await getEvent({ accountId, id }) }),
    listUndispatchedEvents: (request) => listUndispatchedEvents(query, request),
  };
}

/** A row whose noun takes more rows than one. */
function same<Row>(row: Row): Row {
  return row;
}

function equals(column: string, value: string): Filter {
  return { column, operator: "=", value: value === "" ? undefined : value };
}

function transferGroup(value: string): Filter {
  return { ...equals("transfer_group", value), isIndexedWhenGiven: true };
}

async function list<Row, Noun>(
  query: Query,
  listing: Listing,
  page: Page,
  filters: readonly Filter[],
  nounOf: (row: Row) => Noun,
): Promise<{ nouns: Noun[]; nextPageToken: string }> {
  const { rows, hasMore } = await readPage<Row & Record<string, unknown>>(query, listing, page, filters);
  const ids = rows.map((row) => String(row[listing.key]));
  return { nouns: rows.map(nounOf), nextPageToken: nextPageToken(page, ids, hasMore) };
}
