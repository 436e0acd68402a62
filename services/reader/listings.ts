import { apiKeyColumns } from "../_database/rows/account.ts";
import { chargeColumns, chargeJoins } from "../_database/rows/charge.ts";
import { customerColumns } from "../_database/rows/customer.ts";
import { eventColumns } from "../_database/rows/event.ts";
import {
  invoiceColumns,
  invoiceItemColumns,
  invoiceItemJoins,
  invoiceJoins,
  invoicePaymentColumns,
} from "../_database/rows/invoice.ts";
import { paymentMethodColumns } from "../_database/rows/payment-method.ts";
import { priceColumns, priceJoins, productColumns } from "../_database/rows/product.ts";
import { returnColumns } from "../_database/rows/return.ts";
import { subscriptionColumns } from "../_database/rows/subscription.ts";
import { webhookEndpointColumns } from "../_database/rows/webhook-endpoint.ts";
import type { Listing } from "./page.ts";

const account = (alias: string) => `join account a on a.account_id = ${alias}.account_id`;

/** Customers, newest first. */
export const customers: Listing = {
  name: "customers",
  select: `select ${customerColumns} from customer u ${account("u")}`,
  table: "customer",
  alias: "u",
  key: "customer_id",
  missingReason: "CUSTOMER_NOT_FOUND",
};

/** Payment methods attached to a customer, newest first. */
export const paymentMethods: Listing = {
  name: "payment_methods",
  select: `select ${paymentMethodColumns} from payment_method p ${account("p")}`,
  table: "payment_method",
  alias: "p",
  key: "payment_method_id",
  missingReason: "PAYMENT_METHOD_NOT_FOUND",
  hasPrefixes: true,
};

/** Charges, newest first. */
export const charges: Listing = {
  name: "charges",
  select: `select ${chargeColumns} from charge c ${chargeJoins}`,
  table: "charge",
  alias: "c",
  key: "charge_id",
  missingReason: "CHARGE_NOT_FOUND",
};

/** Returns, newest first. */
export const returns: Listing = {
  name: "returns",
  select: `select ${returnColumns} from charge_return r ${account("r")}`,
  table: "charge_return",
  alias: "r",
  key: "return_id",
  missingReason: "RETURN_NOT_FOUND",
};

/** Products, newest first. */
export const products: Listing = {
  name: "products",
  select: `select ${productColumns} from product d ${account("d")}`,
  table: "product",
  alias: "d",
  key: "product_id",
  missingReason: "PRODUCT_NOT_FOUND",
};

/** Prices, newest first. */
export const prices: Listing = {
  name: "prices",
  select: `select ${priceColumns} from price p ${priceJoins}`,
  table: "price",
  alias: "p",
  key: "price_id",
  missingReason: "PRICE_NOT_FOUND",
};

/** Invoices, newest first, but for those of provisional subscriptions. */
export const invoices: Listing = {
  name: "invoices",
  select: `select ${invoiceColumns} from invoice n ${invoiceJoins} and not n.is_provisional`,
  table: "invoice",
  alias: "n",
  key: "invoice_id",
  missingReason: "INVOICE_NOT_FOUND",
};

/** Invoice items, newest first. */
export const invoiceItems: Listing = {
  name: "invoice_items",
  select: `select ${invoiceItemColumns} from invoice_item m ${invoiceItemJoins}`,
  table: "invoice_item",
  alias: "m",
  key: "invoice_item_id",
  missingReason: "INVOICE_ITEM_NOT_FOUND",
};

/** Payments of invoices, newest first, but for those of provisional subscriptions. */
export const invoicePayments: Listing = {
  name: "invoice_payments",
  select: `select ${invoicePaymentColumns} from invoice_payment y ${account("y")}
    join invoice n on n.account_id = y.account_id and n.invoice_id = y.invoice_id and not n.is_provisional`,
  table: "invoice_payment",
  alias: "y",
  key: "invoice_payment_id",
  missingReason: "INVOICE_PAYMENT_NOT_FOUND",
};

/** Subscriptions, newest first. */
export const subscriptions: Listing = {
  name: "subscriptions",
  select: `select ${subscriptionColumns} from subscription s ${account("s")}`,
  table: "subscription",
  alias: "s",
  key: "subscription_id",
  missingReason: "SUBSCRIPTION_NOT_FOUND",
};

/** Events, newest first. */
export const events: Listing = {
  name: "events",
  select: `select ${eventColumns} from event e ${account("e")}`,
  table: "event",
  alias: "e",
  key: "event_id",
  missingReason: "EVENT_NOT_FOUND",
};

/** Endpoints, newest first. */
export const webhookEndpoints: Listing = {
  name: "webhook_endpoints",
  select: `select ${webhookEndpointColumns} from webhook_endpoint w ${account("w")}`,
  table: "webhook_endpoint",
  alias: "w",
  key: "webhook_endpoint_id",
  missingReason: "WEBHOOK_ENDPOINT_NOT_FOUND",
};

/** API keys, newest first. */
export const apiKeys: Listing = {
  name: "api_keys",
  select: `select ${apiKeyColumns} from api_key k ${account("k")}`,
  table: "api_key",
  alias: "k",
  key: "api_key_id",
  missingReason: "API_KEY_NOT_FOUND",
};
