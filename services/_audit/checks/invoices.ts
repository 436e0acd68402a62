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
    "mails-ended",
    "A mail was sent, given up or is dead, or is due and not ten minutes overdue; an invoice that was sent has its PDF's hash.",
    `select m.account_id, m.mail_id, m.kind, m.object_id, m.tries, m.state, m.due_time, m.send_time
      from mail m left join invoice n on n.account_id = m.account_id and n.invoice_id = m.invoice_id
      where m.due_time < $1::timestamptz - interval '10 min'
        or m.state = 'sent' and (m.message_id is null
          or m.kind = 'invoice' and (m.pdf_sha256 is null or n.pdf_sha256 is null or n.send_time is null))`,
  ),
  checkSql(
    "mails-named",
    "A receipt and the notice of a return name an event of their account, and the notice of a disabled endpoint an endpoint.",
    `select m.account_id, m.mail_id, m.kind, m.object_id from mail m
      where m.kind in ('receipt', 'return_notice')
          and not exists (select from event e where e.account_id = m.account_id and e.event_id = m.object_id)
        or m.kind = 'disabled_endpoint' and not exists (select from webhook_endpoint w
          where w.account_id = m.account_id and w.webhook_endpoint_id = m.object_id)`,
  ),
  checkSql(
    "invoices-sent",
    "An invoice that was to be sent when it was finalized has one mail of its own, and no invoice has two.",
    `select n.account_id, n.invoice_id, n.number, count(m.mail_id)::int as mails_count
      from invoice n left join mail m
        on m.account_id = n.account_id and m.invoice_id = n.invoice_id and m.request_id = m.mail_id
      group by n.account_id, n.invoice_id
      having count(m.mail_id) > 1
        or count(m.mail_id) = 0 and n.state = 'open' and n.is_auto_advancing and n.collection_method = 'send_invoice'
          and not exists (select from event e
            where e.account_id = n.account_id and e.object_id = n.invoice_id and e.type = 'invoice.updated'
              and not exists (select from event f where f.account_id = e.account_id and f.object_id = e.object_id
                and f.type = 'invoice.finalized' and f.public_request_id = e.public_request_id
                and f.create_time = e.create_time))`,
  ),
];
