import { eventTypes } from "../../_runtime/event-types.ts";
import { type Check, checkSql } from "../check.ts";

/** What has to have been told of what there is: so many events of this type of that object. */
const EXPECTED = `
  select account_id, 'charge.' || state as type, charge_id as object_id, 1 as count from charge where state <> 'pending'
  union all select account_id, 'charge.captured', charge_id, 1 from charge where is_held and captured_minor > 0
  union all select account_id, 'charge.expired', charge_id, 1 from charge c where release_time is not null
    and not exists (select from charge_return r where r.account_id = c.account_id and r.charge_id = c.charge_id
      and r.is_release and r.state = 'succeeded')
  union all select account_id, 'charge.refunded', charge_id, count(*) from charge_return where state = 'succeeded'
    group by account_id, charge_id
  union all select account_id, 'charge.pending', charge_id, 1 from attempt where tell_time is not null and return_id is null
  union all select account_id, 'refund.created', return_id, 1 from attempt
    where return_id is not null and (tell_time is not null or outcome is not null)
  union all select account_id, type, return_id, 1 from attempt
    cross join (values ('refund.updated'), ('charge.refund.updated')) as of_status(type)
    where return_id is not null and tell_time is not null and outcome is not null
  union all select account_id, 'refund.failed', return_id, 1 from charge_return where state = 'failed'
  union all select account_id, 'customer.created', customer_id, 1 from customer
  union all select account_id, 'customer.deleted', customer_id, 1 from customer where delete_time is not null
  union all select account_id, 'payment_method.attached', payment_method_id, 1 from payment_method
    where customer_id is not null or detach_time is not null
  union all select account_id, 'payment_method.detached', payment_method_id, 1 from payment_method
    where detach_time is not null
  union all select account_id, 'product.created', product_id, 1 from product
  union all select account_id, 'price.created', price_id, 1 from price
  union all select account_id, 'customer.subscription.created', subscription_id, 1 from subscription
    where provisional_request_id is null
  union all select account_id, 'customer.subscription.deleted', subscription_id, 1 from subscription
    where end_time is not null
  union all select account_id, 'invoice.created', invoice_id, 1 from invoice where not is_provisional
  union all select account_id, 'invoice.finalized', invoice_id, 1 from invoice where finalize_time is not null
  union all select account_id, 'invoice.paid', invoice_id, 1 from invoice where state = 'paid'
  union all select account_id, 'invoice.payment_succeeded', invoice_id, 1 from invoice
    where state = 'paid' and not is_paid_out_of_band
  union all select account_id, 'invoice.voided', invoice_id, 1 from invoice where void_time is not null
  union all select account_id, 'invoice.marked_uncollectible', invoice_id, 1 from invoice
    where uncollectible_time is not null
  union all select account_id, 'invoice.sent', invoice_id, count(*) from mail
    where kind = 'invoice' and state = 'sent'
    group by account_id, invoice_id
  union all select account_id, 'invoiceitem.created', invoice_item_id, 1 from invoice_item`;

/** Types whose events may be any number: how often a noun was updated, or tried to be paid, is not kept. */
const UNCOUNTED = new Set([
  "charge.updated",
  "customer.subscription.updated",
  "customer.updated",
  "invoice.payment_failed",
  "invoice.updated",
  "price.updated",
  "product.updated",
]);

/** What a noun leaves that is deleted for good: the events of its life, and one of its end. */
const GONE = `select account_id, object_id from event where type in ('invoice.deleted', 'invoiceitem.deleted')`;

const list = (types: readonly string[]) => types.map((type) => `'${type}'`).join(", ");
const counted = eventTypes.filter((type) => !UNCOUNTED.has(type) && !type.match(/^invoice(item)?\.deleted$/));

/** What happened and was told: one event for each end and each beginning, in the commit that brought it. */
export const eventChecks: readonly Check[] = [
  checkSql(
    "events-told",
    "Whatever was made, has ended or was deleted has exactly the events of that, and none has those of another.",
    `with expected as (${EXPECTED}), gone as materialized (${GONE}), told as (
        select account_id, type, object_id, count(*) as count from event
        where type in (${list(counted)}) and (account_id, object_id) not in (select account_id, object_id from gone)
        group by 1, 2, 3
      )
      select account_id, type, object_id, coalesce(expected.count, 0)::int as expected_count,
        coalesce(told.count, 0)::int as told_count
      from expected full join told using (account_id, type, object_id)
      where expected.count is distinct from told.count`,
  ),
  checkSql(
    "events-fit",
    "Each event is of a type Tripe knows, has an id that no other account's has, holds what was before only when it says that something was updated, and tells of something that is there or was deleted.",
    `with object as (
        select account_id, charge_id as object_id from charge
        union all select account_id, return_id from charge_return
        union all select account_id, customer_id from customer
        union all select account_id, payment_method_id from payment_method
        union all select account_id, product_id from product
        union all select account_id, price_id from price
        union all select account_id, subscription_id from subscription
        union all select account_id, invoice_id from invoice
        union all select account_id, invoice_item_id from invoice_item
        union all ${GONE}
      ), twice as (select event_id from event group by event_id having count(*) > 1)
      select e.account_id, e.event_id, e.type, e.object_id from event e
      where e.type not in (${list(eventTypes)}) or (e.previous is not null and e.type not like '%.updated')
        or e.event_id in (select event_id from twice)
        or not exists (select from object o where o.account_id = e.account_id and o.object_id = e.object_id)`,
  ),
  checkSql(
    "alerts-resolved",
    "No alert waits for a person.",
    `select account_id, alert_id, reason, object_id, create_time from alert where resolve_time is null`,
  ),
];
