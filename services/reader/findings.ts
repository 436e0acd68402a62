import { accountColumns } from "../_database/rows/account.ts";
import { chargeColumns, chargeJoins } from "../_database/rows/charge.ts";
import { customerColumns } from "../_database/rows/customer.ts";
import { eventColumns } from "../_database/rows/event.ts";
import { invoiceColumns, invoiceItemColumns, invoiceItemJoins, invoiceJoins } from "../_database/rows/invoice.ts";
import { paymentMethodColumns, tokenColumns } from "../_database/rows/payment-method.ts";
import { priceColumns, priceJoins, productColumns } from "../_database/rows/product.ts";
import { returnColumns } from "../_database/rows/return.ts";
import { subscriptionColumns } from "../_database/rows/subscription.ts";
import { webhookEndpointColumns } from "../_database/rows/webhook-endpoint.ts";
import type { Finding } from "./one.ts";

// Behind a select Postgres does not count the keys, so that one plan serves any number of them: it would else plan a read of one
// key anew each time, at three times the cost of the read.
const asked = "from unnest((select $1::text[]), (select $2::text[])) as i(account_id, id)";
const account = (alias: string) => `join account a on a.account_id = ${alias}.account_id`;

/** Accounts by id. */
export const findAccount: Finding = {
  name: "account",
  key: "account_id",
  text: `select a.account_id as of_account_id, ${accountColumns} ${asked} join account a on a.account_id = i.id`,
};

/** Customers by id. */
export const findCustomer: Finding = {
  name: "customer",
  key: "customer_id",
  text: `select u.account_id as of_account_id, ${customerColumns}
    ${asked} join customer u on u.account_id = i.account_id and u.customer_id = i.id ${account("u")}`,
};

/** Payment methods by id. */
export const findPaymentMethod: Finding = {
  name: "payment_method",
  key: "payment_method_id",
  text: `select p.account_id as of_account_id, ${paymentMethodColumns}
    ${asked} join payment_method p on p.account_id = i.account_id and p.payment_method_id = i.id ${account("p")}`,
};

/** Tokens by id. */
export const findToken: Finding = {
  name: "token",
  key: "token_id",
  text: `select k.account_id as of_account_id, ${tokenColumns}
    ${asked} join token k on k.account_id = i.account_id and k.token_id = i.id
    join payment_method p on p.account_id = k.account_id and p.payment_method_id = k.payment_method_id ${account("k")}`,
};

/** Charges by id. */
export const findCharge: Finding = {
  name: "charge",
  key: "charge_id",
  text: `select c.account_id as of_account_id, ${chargeColumns}
    ${asked} join charge c on c.account_id = i.account_id and c.charge_id = i.id ${chargeJoins}`,
};

/** Returns by id. */
export const findReturn: Finding = {
  name: "return",
  key: "return_id",
  text: `select r.account_id as of_account_id, ${returnColumns}
    ${asked} join charge_return r on r.account_id = i.account_id and r.return_id = i.id ${account("r")}`,
};

/** Products by id. */
export const findProduct: Finding = {
  name: "product",
  key: "product_id",
  text: `select d.account_id as of_account_id, ${productColumns}
    ${asked} join product d on d.account_id = i.account_id and d.product_id = i.id ${account("d")}`,
};

/** Prices by id. */
export const findPrice: Finding = {
  name: "price",
  key: "price_id",
  text: `select p.account_id as of_account_id, ${priceColumns}
    ${asked} join price p on p.account_id = i.account_id and p.price_id = i.id ${priceJoins}`,
};

/** Invoices by id. */
export const findInvoice: Finding = {
  name: "invoice",
  key: "invoice_id",
  text: `select n.account_id as of_account_id, ${invoiceColumns}
    ${asked} join invoice n on n.account_id = i.account_id and n.invoice_id = i.id and not n.is_provisional
      ${invoiceJoins}`,
};

/** Invoice items by id. */
export const findInvoiceItem: Finding = {
  name: "invoice_item",
  key: "invoice_item_id",
  text: `select m.account_id as of_account_id, ${invoiceItemColumns}
    ${asked} join invoice_item m on m.account_id = i.account_id and m.invoice_item_id = i.id ${invoiceItemJoins}`,
};

/** Subscriptions by id. */
export const findSubscription: Finding = {
  name: "subscription",
  key: "subscription_id",
  text: `select s.account_id as of_account_id, ${subscriptionColumns}
    ${asked} join subscription s on s.account_id = i.account_id and s.subscription_id = i.id
      and s.provisional_request_id is null ${account("s")}`,
};

/** Events by id. */
export const findEvent: Finding = {
  name: "event",
  key: "event_id",
  text: `select e.account_id as of_account_id, ${eventColumns}
    ${asked} join event e on e.account_id = i.account_id and e.event_id = i.id ${account("e")}`,
};

/** Endpoints by id, but for deleted ones. */
export const findWebhookEndpoint: Finding = {
  name: "webhook_endpoint",
  key: "webhook_endpoint_id",
  text: `select w.account_id as of_account_id, ${webhookEndpointColumns}
    ${asked} join webhook_endpoint w on w.account_id = i.account_id and w.webhook_endpoint_id = i.id
      and w.delete_time is null ${account("w")}`,
};
