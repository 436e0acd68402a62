import type { ServiceImpl } from "@connectrpc/connect";
import type { ReaderService } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import type { Query } from "../_database/connect.ts";
import { eventOf } from "../_database/rows/event.ts";
import { type InvoiceRow, invoiceItemOf, invoicePaymentOf } from "../_database/rows/invoice.ts";
import { priceOf, productOf } from "../_database/rows/product.ts";
import type { SubscriptionRow } from "../_database/rows/subscription.ts";
import { invoiceFilters, priceFilters, subscriptionFilters, withItems, withLines } from "./billing.ts";
import { findEvent, findInvoice, findInvoiceItem, findPrice, findProduct, findSubscription } from "./findings.ts";
import { fitPage } from "./fit-page.ts";
import { equals, list } from "./list.ts";
import { listEvents } from "./list-events.ts";
import { invoiceItems, invoicePayments, invoices, prices, products, subscriptions } from "./listings.ts";
import { createOne } from "./one.ts";
import type { Filter } from "./page.ts";

/** Reads products, prices, invoices, subscriptions and events. */
export function readInvoicing(query: Query) {
  const getProduct = createOne(query, findProduct, productOf);
  const getPrice = createOne(query, findPrice, priceOf);
  const getInvoice = createOne<InvoiceRow, InvoiceRow>(query, findInvoice, same);
  const getInvoiceItem = createOne(query, findInvoiceItem, invoiceItemOf);
  const getSubscription = createOne<SubscriptionRow, SubscriptionRow>(query, findSubscription, same);
  const getEvent = createOne(query, findEvent, eventOf);
  return {
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
      const filters = invoiceFilters(request);
      const { nouns, ...page } = await list<InvoiceRow, InvoiceRow>(query, invoices, request, filters, same);
      const whole = { nouns: await withLines(query, request.accountId, nouns), ...page };
      const { nouns: fitting, nextPageToken } = fitPage(request, whole, ({ invoiceId }) => invoiceId);
      return { invoices: fitting, nextPageToken };
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
      const whole = { nouns: await withItems(query, request.accountId, nouns), ...page };
      const { nouns: fitting, nextPageToken } = fitPage(request, whole, ({ subscriptionId }) => subscriptionId);
      return { subscriptions: fitting, nextPageToken };
    },
    getEvent: async ({ accountId, eventId: id }) => ({ event: await getEvent({ accountId, id }) }),
    listEvents: (request) => listEvents(query, request),
  } satisfies Partial<ServiceImpl<typeof ReaderService>>;
}

/** A row whose noun takes more rows than one. */
function same<Row>(row: Row): Row {
  return row;
}
