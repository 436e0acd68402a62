import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { Subscription } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import type { Query } from "../_database/connect.ts";
import { nullIfEmpty } from "../_database/rows/fields.ts";
import { priceJoins } from "../_database/rows/product.ts";
import {
  type SubscriptionItemRow,
  type SubscriptionRow,
  subscriptionColumns,
  subscriptionItemColumns,
  subscriptionOf,
} from "../_database/rows/subscription.ts";
import { collectionMethods, intervalUnits, subscriptionStates } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";

const INSERT = {
  name: "insert_subscription",
  text: `insert into subscription (account_id, subscription_id, revision, customer_id, state, currency_code, interval_unit,
      interval_count, collection_method, days_until_due, default_payment_method_id, anchor_time, period_index,
      period_start_time, period_end_time, trial_start_time, trial_end_time, is_ending_with_period, cancel_time,
      latest_invoice_id, description, metadata, renew_time, create_time)
    select $1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
      case when $17 then t.business_time end, $18, $19, $20,
      case $4 when 'incomplete' then t.business_time + $21 * interval '1 hour' else $14 end, t.business_time
    from (select business_now($1, $3) as business_time) t`,
};

const INSERT_ITEMS = {
  name: "insert_subscription_items",
  text: `insert into subscription_item (account_id, subscription_item_id, subscription_id, price_id, quantity, metadata,
      create_time)
    select $1, i.subscription_item_id, $2, i.price_id, i.quantity, i.metadata, s.create_time
    from unnest($3::text[], $4::text[], $5::bigint[], $6::jsonb[]) as i(subscription_item_id, price_id, quantity, metadata)
    join subscription s on s.account_id = $1 and s.subscription_id = $2`,
};

const LOCK = {
  name: "lock_subscription",
  text: `select ${subscriptionColumns} from subscription s join account a using (account_id)
    where s.account_id = $1 and s.subscription_id = $2 for no key update of s`,
};

const ITEMS = {
  name: "items_of_subscription",
  text: `select ${subscriptionItemColumns} from subscription_item i
    join price p on p.account_id = i.account_id and p.price_id = i.price_id ${priceJoins}
    where i.account_id = $1 and i.subscription_id = $2 order by i.subscription_item_id`,
};

/** Stripe's: a first invoice that is not paid in 23 hours ends the subscription. */
const INCOMPLETE_HOURS = 23;

/** Inserts a subscription and its items. The invoice it names need not be there yet. */
export async function insertSubscription(
  query: Query,
  { accountId, subscription, invoiceId }: { accountId: string; subscription: Subscription; invoiceId: string },
): Promise<void> {
  const { anchorTime, periodStartTime, periodEndTime, trialStartTime, trialEndTime, items } = subscription;
  const recurrence = items[0]?.price?.recurrence;
  assert(recurrence !== undefined, "a subscription comes with the recurrence of its prices");
  assert(anchorTime && periodStartTime && periodEndTime, "a subscription comes with its periods");
  await query(INSERT, [
    accountId,
    subscription.subscriptionId,
    subscription.customerId,
    subscriptionStates.word(subscription.state),
    subscription.currencyCode,
    intervalUnits.word(recurrence.unit),
    recurrence.count,
    collectionMethods.word(subscription.collectionMethod),
    subscription.daysUntilDue,
    nullIfEmpty(subscription.defaultPaymentMethodId),
    timestampDate(anchorTime),
    subscription.periodIndex,
    timestampDate(periodStartTime),
    timestampDate(periodEndTime),
    trialStartTime === undefined ? null : timestampDate(trialStartTime),
    trialEndTime === undefined ? null : timestampDate(trialEndTime),
    subscription.isEndingWithPeriod,
    invoiceId,
    subscription.description,
    JSON.stringify(subscription.metadata),
    INCOMPLETE_HOURS,
  ]);
  await query(INSERT_ITEMS, [
    accountId,
    subscription.subscriptionId,
    items.map((item) => item.subscriptionItemId),
    items.map((item) => item.price?.priceId),
    items.map((item) => item.quantity),
    items.map((item) => JSON.stringify(item.metadata)),
  ]);
}

/** Which subscription. */
interface SubscriptionKey {
  readonly accountId: string;
  readonly subscriptionId: string;
}

/** Reads a subscription with its items and holds it. Refuses with NOT_FOUND, reason SUBSCRIPTION_NOT_FOUND. */
export async function lockSubscription(query: Query, key: SubscriptionKey): Promise<Subscription> {
  const subscription = await lockSubscriptionIfAny(query, key);
  if (subscription === undefined) {
    refuse(Code.NotFound, "SUBSCRIPTION_NOT_FOUND", `no subscription ${key.subscriptionId}`, "subscription_id");
  }
  return subscription;
}

/** Reads a subscription with its items and holds it; undefined when it is not there. */
export async function lockSubscriptionIfAny(
  query: Query,
  { accountId, subscriptionId }: SubscriptionKey,
): Promise<Subscription | undefined> {
  const [row] = await query<SubscriptionRow>(LOCK, [accountId, subscriptionId]);
  if (row === undefined) return undefined;
  return subscriptionOf(row, await query<SubscriptionItemRow>(ITEMS, [accountId, subscriptionId]));
}
