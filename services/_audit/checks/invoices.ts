import { type Check, checkSql } from "../check.ts";

/** Invoices, what they bill and how they were paid and sent. */
export const invoiceChecks: readonly Check[] = [
  checkSql(
    "invoices-once",
    "A period of a subscription is billed by one invoice.",
    `select account_id, subscription_id, period_index, count(*)::int as invoices_count from invoice
      where subscription_id is not null group by 1, 2, 3 having count(*) > 1`,
  ),
  checkSql(
    "invoices-summed",
    "An invoice is the sum of its lines, and never owed less than nothing.",
    `select n.account_id, n.invoice_id, n.state, n.subtotal_minor, n.total_minor, n.amount_due_minor, l.sum_minor::text
      from invoice n left join (
        select account_id, invoice_id, sum(amount_minor) as sum_minor from invoice_line group by 1, 2
      ) l using (account_id, invoice_id)
      where n.subtotal_minor <> coalesce(l.sum_minor, 0) or n.total_minor <> n.subtotal_minor - n.discount_minor
        or n.amount_due_minor <> greatest(n.total_minor, 0)`,
  ),
  checkSql(
    "invoices-paid",
    "An invoice is paid if and only if its payments, by charges that succeeded or out of band, are what it is owed.",
    `select n.account_id, n.invoice_id, n.state, n.amount_due_minor, n.paid_minor, p.sum_minor::text, p.odd_count::int
      from invoice n left join (
        select y.account_id, y.invoice_id, sum(y.amount_minor) filter (where y.state = 'paid') as sum_minor,
          count(*) filter (where y.charge_id is not null and (y.state = 'paid') <> (c.state = 'succeeded')
            and y.state <> 'open' or c.amount_minor <> y.amount_minor or c.currency_code <> y.currency_code) as odd_count
        from invoice_payment y left join charge c on c.account_id = y.account_id and c.charge_id = y.charge_id
        group by 1, 2
      ) p using (account_id, invoice_id)
      where coalesce(p.sum_minor, 0) <> case n.state when 'paid' then n.amount_due_minor else 0 end
        or n.paid_minor <> coalesce(p.sum_minor, 0) or p.odd_count > 0`,
  ),
  // A minute is three leases: one for whoever began it, and two for sweeps that died of it. A charge ends by its customer's
  // time, so by that time it is judged.
  checkSql(
    "payments-finished",
    "A payment of an invoice is not under way a minute after its charge has ended.",
    `select y.account_id, y.invoice_id, n.state as invoice_state, y.charge_id, c.state as charge_state, c.settle_time
      from invoice_payment y join charge c on c.account_id = y.account_id and c.charge_id = y.charge_id
        join invoice n on n.account_id = y.account_id and n.invoice_id = y.invoice_id
      where y.state = 'open' and c.state <> 'pending'
        and c.settle_time < business_now(c.account_id, c.customer_id) - interval '60 s'`,
  ),
  checkSql(
    "invoices-numbered",
    "The invoices of a customer are numbered from 1, without a gap, up to the customer's next number.",
    `select u.account_id, u.customer_id, u.next_invoice_sequence, count(n.sequence)::int as numbers_count,
        max(n.sequence) as last_sequence
      from customer u left join invoice n on n.account_id = u.account_id and n.customer_id = u.customer_id
      group by u.account_id, u.customer_id
      having u.next_invoice_sequence <> count(distinct n.sequence) + 1
        or coalesce(max(n.sequence), 0) <> count(distinct n.sequence) or count(n.sequence) <> count(distinct n.sequence)`,
  ),
  checkSql(
    "subscriptions-billed",
    "The periods of a subscription follow each other, each with its invoice, up to the one it is in.",
    `with billed as (
        select account_id, subscription_id, period_index, period_start_time, period_end_time,
          lag(period_index) over of_subscription as before_index,
          lag(period_end_time) over of_subscription as before_end_time
        from invoice where subscription_id is not null
        window of_subscription as (partition by account_id, subscription_id order by period_index)
      )
      select account_id, subscription_id, period_index, period_start_time, before_index, before_end_time from billed
      where before_index is not null and (period_index <> before_index + 1 or period_start_time <> before_end_time)
      union all
      select account_id, subscription_id, period_index, period_start_time, null, null from subscription s
      where not exists (
        select from billed b where b.account_id = s.account_id and b.subscription_id = s.subscription_id
          and b.period_index = s.period_index and b.period_start_time = s.period_start_time
          and b.period_end_time = s.period_end_time
      )`,
  ),
  checkSql(
    "sendings-ended",
    "A mail of an invoice was sent, given up, or is due and not ten minutes overdue; what was sent has its PDF's hash.",
    `select s.account_id, s.sending_id, s.invoice_id, s.tries, s.due_time, s.send_time, s.is_given_up
      from sending s join invoice n using (account_id, invoice_id)
      where s.due_time < $1::timestamptz - interval '10 min'
        or s.due_time is null and s.send_time is null and not s.is_given_up
        or s.send_time is not null and (s.message_id is null or s.pdf_sha256 is null or n.pdf_sha256 is null
          or n.send_time is null)`,
  ),
  checkSql(
    "invoices-sent",
    "An invoice that was to be sent when it was finalized has one sending of its own, and no invoice has two.",
    `select n.account_id, n.invoice_id, n.number, count(s.sending_id)::int as sendings_count
      from invoice n left join sending s
        on s.account_id = n.account_id and s.invoice_id = n.invoice_id and s.request_id = s.sending_id
      group by n.account_id, n.invoice_id
      having count(s.sending_id) > 1
        or count(s.sending_id) = 0 and n.state = 'open' and n.is_auto_advancing and n.collection_method = 'send_invoice'
          and not exists (select from event e
            where e.account_id = n.account_id and e.object_id = n.invoice_id and e.type = 'invoice.updated'
              and not exists (select from event f where f.account_id = e.account_id and f.object_id = e.object_id
                and f.type = 'invoice.finalized' and f.public_request_id = e.public_request_id
                and f.create_time = e.create_time))`,
  ),
];
