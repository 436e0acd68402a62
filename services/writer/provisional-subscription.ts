import { type Charge, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Invoice } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { Subscription } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type ChargeRow, chargeColumns, chargeJoins, chargeOf } from "../_database/rows/charge.ts";
import { assert } from "../_runtime/errors.ts";
import { snapshotBytes } from "./answers.ts";
import { giveCurrency } from "./customer-currency.ts";
import { lockCustomer } from "./customer-lock.ts";
import { type EventDraft, told } from "./event-drafts.ts";
import { numberInvoice } from "./finalize-invoice.ts";
import { lockInvoice } from "./invoice-rows.ts";
import { invoiceEvents } from "./invoices.ts";
import { snapshotOf } from "./snapshots.ts";
import { lockSubscription } from "./subscription-rows.ts";

const HIDE = {
  name: "make_subscription_provisional",
  text: `with hidden as (
      update invoice set is_provisional = true where account_id = $1 and invoice_id = $3
    )
    update subscription set provisional_request_id = $4 where account_id = $1 and subscription_id = $2`,
};

const SHOW = {
  name: "confirm_subscription",
  text: `update subscription set provisional_request_id = null
    where account_id = $1 and subscription_id = $2 and provisional_request_id is not null
    returning latest_invoice_id`,
};

const CHARGE = {
  name: "charge_of_provisional_invoice",
  text: `select ${chargeColumns} from charge c ${chargeJoins} where c.account_id = $1 and c.charge_id = $2`,
};

/** Foreign keys are checked at the end of the statement. What a customer owed beside it is pending again. */
const DELETE = {
  name: "delete_provisional_subscription",
  text: `with gone as (
      select subscription_id, provisional_request_id from subscription
      where account_id = $1 and subscription_id = $2 and provisional_request_id is not null
    ), answered as (
      update idempotency d set answer = $5, noun_id = $4 from gone
      where d.account_id = $1 and d.request_id = gone.provisional_request_id and $4 <> ''
    ), freed as (
      delete from idempotency d using gone
      where d.account_id = $1 and d.request_id = gone.provisional_request_id and $4 = ''
    ), charged as (
      update charge c set invoice_id = null from gone where c.account_id = $1 and c.invoice_id = $3
    ), claimed as (
      delete from collection_claim k using gone where k.account_id = $1 and k.invoice_id = $3
    ), paid as (
      delete from invoice_payment y using gone where y.account_id = $1 and y.invoice_id = $3
    ), owed as (
      update invoice_item m set invoice_id = null from gone where m.account_id = $1 and m.invoice_id = $3
    ), billed as (
      delete from invoice_line l using gone where l.account_id = $1 and l.invoice_id = $3
    ), invoiced as (
      delete from invoice n using gone where n.account_id = $1 and n.invoice_id = $3
    ), held as (
      delete from subscription_item i using gone where i.account_id = $1 and i.subscription_id = $2
    )
    delete from subscription s using gone where s.account_id = $1 and s.subscription_id = $2
    returning s.subscription_id`,
};

/** Hides a new subscription and the draft of its invoice, which will get no number, until `confirmSubscription` or `deleteProvisional`. */
export async function hideSubscription(
  query: Query,
  of: { accountId: string; subscriptionId: string; invoiceId: string; requestId: string },
): Promise<void> {
  await query(HIDE, [of.accountId, of.subscriptionId, of.invoiceId, of.requestId]);
}

/**
 * Makes a provisional subscription like any other: its invoice gets a number, its customer a currency. Returns the events of
 * what is visible now, none when it was not provisional. The caller holds the invoice.
 */
export async function confirmSubscription(
  query: Query,
  { accountId, subscriptionId }: { accountId: string; subscriptionId: string },
): Promise<EventDraft[]> {
  if (subscriptionId === "") return [];
  const [row] = await query<{ latest_invoice_id: string }>(SHOW, [accountId, subscriptionId]);
  if (row === undefined) return [];
  const subscription = await lockSubscription(query, { accountId, subscriptionId });
  const { customerId, currencyCode } = subscription;
  const customer = await lockCustomer(query, { accountId, customerId });
  await numberInvoice(query, { accountId, invoiceId: row.latest_invoice_id });
  const invoice = await lockInvoice(query, { accountId, invoiceId: row.latest_invoice_id });
  return [
    ...(await giveCurrency(query, { accountId, customer, currencyCode })),
    ...creationEvents(subscription, invoice),
  ];
}

/** The events of a subscription that was just made, and of its first invoice. */
export function creationEvents(subscription: Subscription, invoice: Invoice): EventDraft[] {
  return [
    told("customer.subscription.created", "subscription", subscription),
    ...invoiceEvents(invoice, ["invoice.created", "invoice.finalized"]),
  ];
}

/**
 * Deletes a provisional subscription whose first payment failed, with its invoice. The request that made it is answered with
 * the charge that failed from now on; when there was nothing to charge it to, its request id is free again. The caller holds
 * the invoice.
 */
export async function deleteProvisional(
  query: Query,
  of: { accountId: string; subscriptionId: string; invoiceId: string; chargeId: string },
): Promise<void> {
  const { accountId, subscriptionId, invoiceId, chargeId } = of;
  const answer = chargeId === "" ? null : snapshotBytes(snapshotOf("charge", await failedCharge(query, of)));
  const rows = await query(DELETE, [accountId, subscriptionId, invoiceId, chargeId, answer]);
  assert(rows.length === 1, "an invoice without a number is that of a provisional subscription");
}

async function failedCharge(query: Query, { accountId, chargeId }: { accountId: string; chargeId: string }) {
  const [row] = await query<ChargeRow>(CHARGE, [accountId, chargeId]);
  assert(row !== undefined, "a collection that ended has its charge");
  const charge: Charge = chargeOf(row);
  assert(charge.state === ChargeState.FAILED, "only a failed charge deletes a subscription");
  return { ...charge, invoiceId: "" };
}
