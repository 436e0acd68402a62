import type { Query } from "../_database/connect.ts";
import { changed, tell, told } from "./event-drafts.ts";
import { publicRequestId } from "./once.ts";
import { lockSubscription } from "./subscription-rows.ts";

/** Paid up: it renews at the end of its period. An incomplete one was waiting for this. */
const ACTIVATE = {
  name: "activate_subscription",
  text: `update subscription set revision = revision + 1, state = 'active', renew_time = period_end_time
    where account_id = $1 and subscription_id = $2 and state in ('incomplete', 'past_due', 'unpaid')
    returning subscription_id`,
};

/** Not paid in time. An incomplete one stays what it is: it was never active. */
const FALL_BEHIND = {
  name: "fall_behind_subscription",
  text: `update subscription set revision = revision + 1, state = 'past_due'
    where account_id = $1 and subscription_id = $2 and state in ('active', 'trialing')
    returning subscription_id`,
};

/** Stripe's default after the last retry. What is still owed stays owed, and is no longer collected by itself. */
const GIVE_UP = {
  name: "give_subscription_up",
  text: `update subscription set revision = revision + 1, state = 'canceled', renew_time = null, lease_end_time = null,
      cancel_time = coalesce(cancel_time, business_now($1, customer_id)), end_time = business_now($1, customer_id)
    where account_id = $1 and subscription_id = $2 and state in ('active', 'trialing', 'past_due', 'unpaid')
    returning subscription_id`,
};

interface Key {
  readonly accountId: string;
  /** Empty for an invoice that bills none: nothing happens then. */
  readonly subscriptionId: string;
}

/** Makes a subscription active whose invoice was paid. */
export async function activateSubscription(query: Query, key: Key): Promise<void> {
  await change(query, key, ACTIVATE, "customer.subscription.updated");
}

/** Makes a subscription past due whose invoice was not paid. */
export async function putSubscriptionBehind(query: Query, key: Key): Promise<void> {
  await change(query, key, FALL_BEHIND, "customer.subscription.updated");
}

/** Ends a subscription whose invoice was not paid at the last retry either. */
export async function giveSubscriptionUp(query: Query, key: Key): Promise<void> {
  await change(query, key, GIVE_UP, "customer.subscription.deleted");
}

async function change(
  query: Query,
  { accountId, subscriptionId }: Key,
  statement: typeof ACTIVATE,
  type: "customer.subscription.deleted" | "customer.subscription.updated",
): Promise<void> {
  if (subscriptionId === "") return;
  const before = await lockSubscription(query, { accountId, subscriptionId });
  const rows = await query(statement, [accountId, subscriptionId]);
  if (rows.length === 0) return;
  const after = await lockSubscription(query, { accountId, subscriptionId });
  const by = { accountId, customerId: after.customerId, publicRequestId: publicRequestId() };
  const isEnd = type === "customer.subscription.deleted";
  const events = isEnd ? [told(type, "subscription", after)] : changed(type, "subscription", { before, after });
  await tell(query, by, events);
}
