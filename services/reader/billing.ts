import type { Invoice } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { Subscription } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import type { ListInvoicesRequest } from "../../gen/tripe/reader/v1/invoices_pb.ts";
import type { ListPricesRequest } from "../../gen/tripe/reader/v1/products_pb.ts";
import type { ListSubscriptionsRequest } from "../../gen/tripe/reader/v1/subscriptions_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type InvoiceRow, invoiceOf } from "../_database/rows/invoice.ts";
import { type InvoiceLineRow, invoiceLineColumns, invoiceLineJoins } from "../_database/rows/invoice-line.ts";
import { priceJoins } from "../_database/rows/product.ts";
import {
  type SubscriptionItemRow,
  type SubscriptionRow,
  subscriptionItemColumns,
  subscriptionOf,
} from "../_database/rows/subscription.ts";
import { collectionMethods, invoiceStates, subscriptionStates } from "../_database/rows/words.ts";
import type { Filter } from "./page.ts";

const LINES = {
  name: "lines_of_invoices",
  text: `select ${invoiceLineColumns} from invoice_line l ${invoiceLineJoins}
    where l.account_id = $1 and l.invoice_id = any($2::text[]) order by l.invoice_id, l.position`,
};

const ITEMS = {
  name: "items_of_subscriptions",
  text: `select ${subscriptionItemColumns} from subscription_item i
    join price p on p.account_id = i.account_id and p.price_id = i.price_id ${priceJoins}
    where i.account_id = $1 and i.subscription_id = any($2::text[]) order by i.subscription_item_id`,
};

const OF_PRICE = {
  name: "subscriptions_of_price",
  text: "select distinct subscription_id from subscription_item where account_id = $1 and price_id = $2",
};

/** The invoices of rows, each with its lines, in their order. */
export async function withLines(query: Query, accountId: string, rows: readonly InvoiceRow[]): Promise<Invoice[]> {
  if (rows.length === 0) return [];
  const lines = await query<InvoiceLineRow>(LINES, [accountId, rows.map((row) => row.invoice_id)]);
  const byInvoice = Map.groupBy(lines, (line) => line.invoice_id);
  return rows.map((row) => invoiceOf(row, byInvoice.get(row.invoice_id)));
}

/** The subscriptions of rows, each with its items. */
export async function withItems(
  query: Query,
  accountId: string,
  rows: readonly SubscriptionRow[],
): Promise<Subscription[]> {
  if (rows.length === 0) return [];
  const items = await query<SubscriptionItemRow>(ITEMS, [accountId, rows.map((row) => row.subscription_id)]);
  const bySubscription = Map.groupBy(items, (item) => item.subscription_id);
  return rows.map((row) => subscriptionOf(row, bySubscription.get(row.subscription_id) ?? []));
}

/** What a list of prices is narrowed by. */
export function priceFilters(request: ListPricesRequest): Filter[] {
  const { isActive, isRecurring, lookupKeys, productId, currencyCode } = request;
  return [
    { column: "is_active", operator: "=", value: isActive },
    { column: "product_id", operator: "=", value: productId === "" ? undefined : productId },
    { column: "currency_code", operator: "=", value: currencyCode === "" ? undefined : currencyCode },
    { column: "lookup_key", operator: "in", value: lookupKeys.length === 0 ? undefined : lookupKeys },
    {
      column: "interval_unit",
      operator: isRecurring === true ? "is not" : "is",
      value: isRecurring === undefined ? undefined : null,
    },
  ];
}

/** What a list of invoices is narrowed by. */
export function invoiceFilters(request: ListInvoicesRequest): Filter[] {
  const { customerId, subscriptionId, state, collectionMethod } = request;
  return [
    { column: "customer_id", operator: "=", value: customerId === "" ? undefined : customerId },
    { column: "subscription_id", operator: "=", value: subscriptionId === "" ? undefined : subscriptionId },
    { column: "state", operator: "=", value: state === 0 ? undefined : invoiceStates.word(state) },
    {
      column: "collection_method",
      operator: "=",
      value: collectionMethod === 0 ? undefined : collectionMethods.word(collectionMethod),
    },
  ];
}

/** What a list of subscriptions is narrowed by; those of a price are looked up first. */
export async function subscriptionFilters(query: Query, request: ListSubscriptionsRequest): Promise<Filter[]> {
  const { accountId, customerId, priceId, state, isEndedIncluded } = request;
  const ofPrice = priceId === "" ? undefined : await query<{ subscription_id: string }>(OF_PRICE, [accountId, priceId]);
  const isAll = state !== 0 || isEndedIncluded;
  return [
    { column: "provisional_request_id", operator: "is", value: null },
    { column: "customer_id", operator: "=", value: customerId === "" ? undefined : customerId },
    { column: "subscription_id", operator: "in", value: ofPrice?.map((row) => row.subscription_id) },
    { column: "state", operator: "=", value: state === 0 ? undefined : subscriptionStates.word(state) },
    { column: "end_time", operator: "is", value: isAll ? undefined : null },
  ];
}
