import type { Query } from "../_database/connect.ts";
import { changed, tell, told } from "./event-drafts.ts";
import { draftFinalInvoice } from "./final-invoice.ts";
import { lockSubscription } from "./subscription-rows.ts";

/**
 * The invoices of later periods than the invoice $3. A subscription is what its latest invoice makes it, as at Stripe
 * (docs.stripe.com/billing/subscriptions/overview): what becomes of an older one changes nothing that a later one has decided.
 */
const LATER = `from invoice o join invoice n on n.account_id = o.account_id and n.subscription_id = o.subscription_id
      and n.period_index > o.period_index
    where o.account_id = $1 and o.invoice_id = $3`;

const IS_PAID_LATER = `exists (select ${LATER} and n.state = 'paid')`;

/** Open, and attempted more often than is under way: one that was not tried yet has decided nothing. */
const HAS_FAILED_LATER = `exists (select ${LATER} and n.state = 'open' and n.attempt_count > (
      select count(*) from invoice_payment y where y.account_id = n.account_id and y.invoice_id = n.invoice_id
        and y.state = 'open' and y.is_counted))`;

/** Paid up: it renews at the end of its period. An incomplete one was waiting for this. */
const ACTIVATE = {
  name: "activate_subscription",
  text: `update subscription set revision = revision + 1, state = 'active', renew_time = period_end_time
    where account_id = $1 and subscription_id = $2 and state in ('incomplete', 'past_due', 'unpaid')
      and not ${HAS_FAILED_LATER}
    returning subscription_id`,
};

/** Not paid in time. An incomplete one stays what it is: it was never active. */
const FALL_BEHIND = {
  name: "fall_behind_subscription",
  text: `update subscription set revision = revision + 1, state = 'past_due'
    where account_id = $1 and subscription_id = $2 and state in ('active', 'trialing') and not ${IS_PAID_LATER}
    returning subscription_id`,
};

/** Stripe's default after the last retry. What is still owed stays owed, and is no longer collected by itself. */
const GIVE_UP = {
  name: "give_subscription_up",
  text: `update subscription set revision = revision + 1, state = 'canceled', renew_time = null, lease_end_time = null,
      cancel_time = coalesce(cancel_time, business_now($1, customer_id)), end_time = business_now($1, customer_id)
    where account_id = $1 and subscription_id = $2 and state in ('active', 'trialing', 'past_due', 'unpaid')
      and not ${IS_PAID_LATER}
    returning subscription_id`,
};

interface Key {
  readonly accountId: string;
  /** Empty for an invoice that bills none: nothing happens then. */
  readonly subscriptionId: string;
  /** The invoice that was paid, or was not. */
  readonly invoiceId: string;
}

/** Makes a subscription active whose invoice was paid, unless a later one has failed to be. */
export async function activateSubscription(query: Query, key: Key): Promise<void> {
  await change(query, key, ACTIVATE, "customer.subscription.updated");
}

/** Makes a subscription past due whose invoice was not paid, unless a later one was. */
export async function putSubscriptionBehind(query: Query, key: Key): Promise<void> {
  await change(query, key, FALL_BEHIND, "customer.subscription.updated");
}

/** Ends a subscription whose invoice was not paid at the last retry either, unless a later one was paid. */
export async function giveSubscriptionUp(query: Query, key: Key): Promise<void> {
  await change(query, key, GIVE_UP, "customer.subscription.deleted");
}

async function change(
  query: Query,
  { accountId, subscriptionId, invoiceId }: Key,
  statement: typeof ACTIVATE,
  type: "customer.subscription.deleted" | "customer.subscription.updated",
): Promise<void> {
  if (subscriptionId === "") return;
  const before = await lockSubscription(query, { accountId, subscriptionId });
  const rows = await query(statement, [accountId, subscriptionId, invoiceId]);
  if (rows.length === 0) return;
  const after = await lockSubscription(query, { accountId, subscriptionId });
  const by = { accountId, customerId: after.customerId };
  const isEnd = type === "customer.subscription.deleted";
  const events = isEnd
    ? [
        told(type, "subscription", after),
        ...(await draftFinalInvoice(query, { accountId, subscription: after, isGivenUp: true })),
      ]
    : changed(type, "subscription", { before, after });
  await tell(query, by, events);
}
