import type { LeaseCollectionsRequest } from "../../gen/tripe/writer/v1/collections_pb.ts";
import type { LeaseRenewalsRequest } from "../../gen/tripe/writer/v1/subscriptions_pb.ts";
import { priceJoins } from "../_database/rows/product.ts";
import {
  type SubscriptionItemRow,
  type SubscriptionRow,
  subscriptionColumns,
  subscriptionItemColumns,
  subscriptionOf,
} from "../_database/rows/subscription.ts";
import { CHARGE_MAX_MINOR } from "../_runtime/charge-bounds.ts";
import { currencies } from "../_runtime/currency.ts";
import type { WriterDependencies } from "./answers.ts";
import { LEASE_MS } from "./lease.ts";

/** The time of every account that has no test clock: it bounds the index, and a row is then judged by its customer's time. */
export const NOW = "business_now()";

/**
 * Test clocks ahead of it, with their customers: few, so what is due by them is found from them. OFFSET 0 and LATERAL keep that
 * order: free to choose, the planner walked all that comes due later, in its order, until the limit, each sweep again.
 */
export const CLOCKED = `(
        select t.account_id, t.business_time, u.customer_id
        from test_clock t join customer u on u.account_id = t.account_id and u.test_clock_id = t.test_clock_id
        where t.business_time > ${NOW} offset 0
      ) k`;

const LEASED = `statement_timestamp() + ${LEASE_MS} * interval '1 ms'`;

/** The least a charge may be, by currency, in SQL. */
const MINIMUMS_MINOR = `'${JSON.stringify(Object.fromEntries(currencies.map(({ code, minimumMinor }) => [code, Number(minimumMinor)])))}'::jsonb`;

/** A draft whose total no charge could be is not finalized, however often it is tried (finalize-invoice.ts): it is its merchant's. */
const IS_PAYABLE = `(n.state = 'open' or n.total_minor = 0 or n.total_minor between 1 and ${CHARGE_MAX_MINOR}
        and (n.collection_method = 'send_invoice' or n.total_minor >= (${MINIMUMS_MINOR} ->> n.currency_code)::bigint))`;

/** Nothing to wait for but its time: a payment under way decides first. */
const IS_WAITING = `n.state in ('draft', 'open') and ${IS_PAYABLE} and (n.lease_end_time is null or n.lease_end_time <= statement_timestamp())
        and not exists (select from invoice_payment y
          where y.account_id = n.account_id and y.invoice_id = n.invoice_id and y.state = 'open')`;

/**
 * A payment whose charge has ended is finished whatever its invoice is, and whoever began it: the money may be taken. It
 * happened, so it is due by no business time.
 */
const LEASE_COLLECTIONS = {
  name: "lease_collections",
  text: `with unfinished as (
      select n.account_id, n.invoice_id
      from invoice_payment y join charge c on c.account_id = y.account_id and c.charge_id = y.charge_id
        join invoice n on n.account_id = y.account_id and n.invoice_id = y.invoice_id
      where y.state = 'open' and c.state <> 'pending'
        and (n.lease_end_time is null or n.lease_end_time <= statement_timestamp())
      order by y.create_time limit $1 for no key update of n skip locked
    ), due_now as (
      select n.account_id, n.invoice_id from invoice n
      where n.next_attempt_time is not null and n.next_attempt_time <= ${NOW}
        and n.next_attempt_time <= business_now(n.account_id, n.customer_id) and ${IS_WAITING}
      order by n.next_attempt_time limit $1 for no key update skip locked
    ), due_by_clock as (
      select d.account_id, d.invoice_id
      from ${CLOCKED} cross join lateral (
        select n.account_id, n.invoice_id, n.next_attempt_time from invoice n
        where n.account_id = k.account_id and n.customer_id = k.customer_id
          and n.next_attempt_time > ${NOW} and n.next_attempt_time <= k.business_time and ${IS_WAITING}
        for no key update skip locked
      ) d
      order by d.next_attempt_time limit $1
    ), due as (
      select * from unfinished union all select * from due_now union all select * from due_by_clock limit $1
    )
    update invoice n set lease_end_time = ${LEASED}
    from due where n.account_id = due.account_id and n.invoice_id = due.invoice_id
    returning n.account_id, n.invoice_id, n.state = 'draft' as is_draft`,
};

const LEASE_RENEWALS = {
  name: "lease_renewals",
  text: `with due_now as (
      select account_id, subscription_id from subscription
      where renew_time <= ${NOW} and renew_time <= business_now(account_id, customer_id)
        and (lease_end_time is null or lease_end_time <= statement_timestamp())
      order by renew_time limit $1 for no key update skip locked
    ), due_by_clock as (
      select d.account_id, d.subscription_id
      from ${CLOCKED} cross join lateral (
        select s.account_id, s.subscription_id, s.renew_time from subscription s
        where s.account_id = k.account_id and s.customer_id = k.customer_id
          and s.renew_time > ${NOW} and s.renew_time <= k.business_time
          and (s.lease_end_time is null or s.lease_end_time <= statement_timestamp())
        for no key update skip locked
      ) d
      order by d.renew_time limit $1
    ), due as (
      select * from due_now union all select * from due_by_clock limit $1
    ), leased as (
      update subscription s set lease_end_time = ${LEASED}
      from due where s.account_id = due.account_id and s.subscription_id = due.subscription_id
      returning s.*
    )
    select s.account_id, ${subscriptionColumns} from leased s join account a using (account_id)`,
};

const ITEMS = {
  name: "items_of_due_subscriptions",
  text: `select ${subscriptionItemColumns}
    from unnest($1::text[], $2::text[]) as q(account_id, subscription_id)
    join subscription_item i on i.account_id = q.account_id and i.subscription_id = q.subscription_id
    join price p on p.account_id = i.account_id and p.price_id = i.price_id ${priceJoins}
    order by i.subscription_item_id`,
};

/** Takes up invoices with a payment to finish, and those due to be finalized or collected, the longest due first. */
export async function leaseCollections({ database }: WriterDependencies, { limit }: LeaseCollectionsRequest) {
  const rows = await database.query<{ account_id: string; invoice_id: string; is_draft: boolean }>(LEASE_COLLECTIONS, [
    limit,
  ]);
  return {
    invoices: rows.map((row) => ({ accountId: row.account_id, invoiceId: row.invoice_id, isDraft: row.is_draft })),
  };
}

/** Takes up subscriptions whose period has ended, or whose time to be paid is over. */
export async function leaseRenewals({ database }: WriterDependencies, { limit }: LeaseRenewalsRequest) {
  const rows = await database.query<SubscriptionRow & { account_id: string }>(LEASE_RENEWALS, [limit]);
  const items = await database.query<SubscriptionItemRow>(ITEMS, [
    rows.map((row) => row.account_id),
    rows.map((row) => row.subscription_id),
  ]);
  const itemsOf = (id: string) => items.filter((item) => item.subscription_id === id);
  const subscriptions = rows.map((row) => ({
    accountId: row.account_id,
    subscription: subscriptionOf(row, itemsOf(row.subscription_id)),
  }));
  return { subscriptions };
}
