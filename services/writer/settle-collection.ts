import { durationMs } from "@bufbuild/protobuf/wkt";
import { CollectionMethod, type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { SettleCollectionRequest } from "../../gen/tripe/writer/v1/collections_pb.ts";
import type { Query } from "../_database/connect.ts";
import type { WriterDependencies } from "./answers.ts";
import { attemptRequestId, IS_OPEN } from "./begin-collection.ts";
import { tell } from "./event-drafts.ts";
import { isProvisional, lockInvoice, lockInvoiceIfAny } from "./invoice-rows.ts";
import { type InvoiceEventType, invoiceEvents } from "./invoices.ts";
import { confirmSubscription, deleteProvisional } from "./provisional-subscription.ts";
import { activateSubscription, giveSubscriptionUp, putSubscriptionBehind } from "./subscription-states.ts";

/** What became of the charge of an open payment; no row when that payment was settled before. */
const READ = {
  name: "read_collection",
  text: `select c.state, y.is_counted from invoice_payment y
    join charge c on c.account_id = y.account_id and c.charge_id = y.charge_id
    where y.account_id = $1 and y.invoice_id = $2 and y.charge_id = $3 and y.state = 'open'`,
};

const PAID = {
  name: "settle_collection_paid",
  text: `with counted as (
      update invoice_payment set state = 'paid', pay_time = t.business_time
      from (select business_now($1, (select customer_id from invoice where account_id = $1 and invoice_id = $2))
        as business_time) t
      where account_id = $1 and charge_id = $3
    )
    update invoice set revision = revision + 1, state = 'paid', paid_minor = amount_due_minor,
      pay_time = business_now($1, customer_id), next_attempt_time = null, lease_end_time = null
    where account_id = $1 and invoice_id = $2`,
};

const FAILED = {
  name: "settle_collection_failed",
  text: `with counted as (
      update invoice_payment set state = 'canceled' where account_id = $1 and charge_id = $3
    )
    update invoice set revision = revision + 1, lease_end_time = null,
      attempt_count = attempt_count + case when $3 = '' then 1 else 0 end,
      next_attempt_time = case
        when exists (select from subscription s
          where s.account_id = $1 and s.subscription_id = invoice.subscription_id and s.end_time is not null) then null
        when $5::boolean then business_now($1, customer_id) + $4::double precision * interval '1 ms'
        else next_attempt_time end
    where account_id = $1 and invoice_id = $2`,
};

/**
 * Draws the consequence of a charge that has ended: the invoice is paid and its subscription active; or its next attempt is
 * set, the subscription past due, or ended when there is no next one. Nothing happens twice, and nothing while the charge
 * is pending. Without a charge, there was nothing to charge the invoice to: that is a failed attempt, its request id the
 * invoice's and the number of the attempt, so that it too is counted once. What its subscription's end left is not retried.
 * A failure that is not counted, of a person's attempt after the first, changes neither the schedule nor ends anything.
 */
export async function settleCollection({ database }: WriterDependencies, request: SettleCollectionRequest) {
  const { accountId, invoiceId, chargeId, retryDelay } = request;
  return database.transaction(async (query) => {
    const invoice = await lockInvoiceIfAny(query, { accountId, invoiceId });
    // Deleted with its provisional subscription by an equal call.
    if (invoice === undefined) return {};
    const end = chargeId === "" ? await endOfNone(query, request, invoice) : await endOf(query, request);
    if (end === undefined || end.state === "pending" || invoice.state === InvoiceState.PAID) return { invoice };
    const of = { accountId, invoiceId, subscriptionId: invoice.subscriptionId };
    if (end.state === "succeeded") {
      if (isProvisional(invoice)) await confirm(query, of);
      await query(PAID, [accountId, invoiceId, chargeId]);
      await activateSubscription(query, of);
      return { invoice: await tellOf(query, request, invoice, ["invoice.paid", "invoice.payment_succeeded"]) };
    }
    if (isProvisional(invoice)) {
      await deleteProvisional(query, { ...of, chargeId });
      return {};
    }
    const delayMs = isCollectedByItself(invoice) && retryDelay !== undefined ? durationMs(retryDelay) : null;
    await query(FAILED, [accountId, invoiceId, chargeId, delayMs, end.is_counted]);
    if (isCollectedByItself(invoice) && end.is_counted && delayMs === null) await giveSubscriptionUp(query, of);
    else await putSubscriptionBehind(query, of);
    return { invoice: await tellOf(query, request, invoice, ["invoice.payment_failed"]) };
  });
}

async function confirm(query: Query, of: { accountId: string; invoiceId: string; subscriptionId: string }) {
  const events = await confirmSubscription(query, of);
  const { customerId } = await lockInvoice(query, of);
  await tell(query, { accountId: of.accountId, customerId }, events);
}

interface End {
  readonly state: string;
  readonly is_counted: boolean;
}

async function endOf(query: Query, { accountId, invoiceId, chargeId }: SettleCollectionRequest) {
  const [row] = await query<End>(READ, [accountId, invoiceId, chargeId]);
  return row;
}

/** Failed, when that very attempt is the next and nothing else is under way; else it was counted, or is no longer asked for. */
async function endOfNone(
  query: Query,
  { accountId, invoiceId, requestId }: SettleCollectionRequest,
  invoice: Invoice,
): Promise<End | undefined> {
  if (invoice.state !== InvoiceState.OPEN || requestId !== attemptRequestId(invoice)) return undefined;
  const isUnderWay = (await query(IS_OPEN, [accountId, invoiceId])).length > 0;
  return isUnderWay ? undefined : { state: "failed", is_counted: true };
}

/** Only what is charged and advances by itself is tried again by itself, and ends a subscription when it is not paid. */
function isCollectedByItself({ state, isAutoAdvancing, collectionMethod }: Invoice): boolean {
  return isAutoAdvancing && state === InvoiceState.OPEN && collectionMethod === CollectionMethod.CHARGE_AUTOMATICALLY;
}

async function tellOf(
  query: Query,
  { accountId, invoiceId }: SettleCollectionRequest,
  before: Invoice,
  types: readonly InvoiceEventType[],
): Promise<Invoice> {
  const invoice = await lockInvoice(query, { accountId, invoiceId });
  const by = { accountId, customerId: invoice.customerId };
  await tell(query, by, invoiceEvents(invoice, types, before));
  return invoice;
}
