import { Code } from "@connectrpc/connect";
import { type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { type Subscription, SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import type { Query } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";
import { type EventDraft, told } from "./event-drafts.ts";
import { draftFinalInvoice } from "./final-invoice.ts";
import { lockInvoice } from "./invoice-rows.ts";
import { invoiceEvents } from "./invoices.ts";
import { confirmSubscription } from "./provisional-subscription.ts";
import { lockSubscription } from "./subscription-rows.ts";

/**
 * When $3 it ended when it was due to, however late that was seen, else now. What is still owed stays owed; only a first invoice that was never paid is taken back with its subscription.
 */
const END = {
  name: "cancel_subscription",
  text: `with ended as (
      update subscription set revision = revision + 1, renew_time = null, lease_end_time = null,
        state = case state when 'incomplete' then 'incomplete_expired' else 'canceled' end,
        cancel_time = coalesce(cancel_time, t.end_time), end_time = t.end_time
      from (select case when $3 then renew_time else business_now($1, customer_id) end as end_time
        from subscription where account_id = $1 and subscription_id = $2) t
      where account_id = $1 and subscription_id = $2
      returning state, t.end_time
    )
    update invoice n set revision = n.revision + 1, is_auto_advancing = false, next_attempt_time = null,
      state = case when e.state = 'incomplete_expired' and n.state = 'open' then 'void' else n.state end,
      void_time = case when e.state = 'incomplete_expired' and n.state = 'open' then business_now($1, n.customer_id)
        else n.void_time end
    from ended e
    where n.account_id = $1 and n.subscription_id = $2 and n.state in ('draft', 'open')
      and not exists (select from invoice_payment y
        where y.account_id = n.account_id and y.invoice_id = n.invoice_id and y.state = 'open')
    returning n.invoice_id`,
};

const LOCK_INVOICES = {
  name: "lock_invoices_of_subscriptions",
  text: `select invoice_id from invoice where account_id = $1 and subscription_id = any($2) and state in ('draft', 'open')
    order by invoice_id for no key update`,
};

const PAYMENT_OPEN = {
  name: "is_payment_of_subscription_open",
  text: `select 1 from invoice n
    join invoice_payment y on y.account_id = n.account_id and y.invoice_id = n.invoice_id and y.state = 'open'
    where n.account_id = $1 and n.subscription_id = $2 limit 1`,
};

const LIVE = {
  name: "live_subscriptions_of_customer",
  text: `select subscription_id from subscription where account_id = $1 and customer_id = $2 and end_time is null
    order by subscription_id`,
};

/**
 * Reads a subscription that is to end and holds it and its invoices. Invoices come before their subscription, as whoever
 * settles a payment locks them; and before END takes its snapshot, so that it sees each payment that was begun.
 */
export async function lockToEnd(query: Query, key: { accountId: string; subscriptionId: string }) {
  await query(LOCK_INVOICES, [key.accountId, [key.subscriptionId]]);
  return lockSubscription(query, key);
}

/**
 * Reads and holds, as `lockToEnd` does, all subscriptions of a customer that have not ended. A renewal that came between
 * has drafted an invoice more: those are locked again, so that a customer locked afterwards waits for no invoice.
 */
export async function lockLive(
  query: Query,
  { accountId, customerId }: { accountId: string; customerId: string },
): Promise<Subscription[]> {
  const rows = await query<{ subscription_id: string }>(LIVE, [accountId, customerId]);
  const ids = rows.map((row) => row.subscription_id);
  await query(LOCK_INVOICES, [accountId, ids]);
  const subscriptions: Subscription[] = [];
  for (const subscriptionId of ids) subscriptions.push(await lockSubscription(query, { accountId, subscriptionId }));
  await query(LOCK_INVOICES, [accountId, ids]);
  return subscriptions.filter(({ endTime }) => endTime === undefined);
}

/** How a subscription ends. */
export interface End {
  /** Whether it was due to: then it ended at that moment. */
  readonly isDue?: boolean;
  /** Whether what its customer owes beside it is left pending: nothing can be charged to a customer that is deleted. */
  readonly isUnbilled?: boolean;
}

/**
 * Ends a subscription that is held by `lockToEnd` or `lockLive`; gives it as it is then, and what is to be told of it. What is
 * pending beside one that was ever active is billed (`draftFinalInvoice`).
 * Refuses with INVOICE_PAYMENT_PENDING an incomplete one whose first payment is under way: that decides what it becomes.
 */
export async function endSubscription(
  query: Query,
  accountId: string,
  { subscriptionId, state }: Subscription,
  { isDue = false, isUnbilled = false }: End = {},
): Promise<{ subscription: Subscription; events: EventDraft[] }> {
  const values = [accountId, subscriptionId];
  if (state === SubscriptionState.INCOMPLETE && (await query(PAYMENT_OPEN, values)).length > 0) {
    const message = `the first payment of the subscription ${subscriptionId} is under way`;
    refuse(Code.FailedPrecondition, "INVOICE_PAYMENT_PENDING", message, "subscription_id");
  }
  // A provisional one that was never collected ends like any other that was made.
  const made = await confirmSubscription(query, { accountId, subscriptionId });
  const held = await query<{ invoice_id: string }>(LOCK_INVOICES, [accountId, [subscriptionId]]);
  const owed = new Map<string, Invoice>();
  for (const { invoice_id: id } of held) owed.set(id, await lockInvoice(query, { accountId, invoiceId: id }));
  const closed = await query<{ invoice_id: string }>(END, [...values, isDue]);
  const subscription = await lockSubscription(query, { accountId, subscriptionId });
  const events = [...made, told("customer.subscription.deleted", "subscription", subscription)];
  for (const { invoice_id: invoiceId } of closed) {
    const invoice = await lockInvoice(query, { accountId, invoiceId });
    const isVoid = invoice.state === InvoiceState.VOID;
    events.push(...invoiceEvents(invoice, isVoid ? ["invoice.voided"] : [], owed.get(invoiceId)));
  }
  if (subscription.state === SubscriptionState.CANCELED && !isUnbilled) {
    events.push(
      ...(await draftFinalInvoice(query, { accountId, subscription, isGivenUp: state === SubscriptionState.UNPAID })),
    );
  }
  return { subscription, events };
}
