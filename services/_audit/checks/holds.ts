import { type Check, checkSql } from "../check.ts";
import { OVERDUE } from "./attempts.ts";

/** What became of a charge's hold, by its attempts: those that end it or may yet, and those that did. */
const ENDS = `select account_id, charge_id,
    count(*) filter (where state <> 'failed')::int as ends_count,
    coalesce(sum(amount_minor) filter (where kind = 'capture' and state = 'succeeded'), 0)::bigint as taken_minor,
    -- A bank that declines to let go of what has expired holds it no more.
    coalesce(bool_or(kind = 'reverse' and (state = 'succeeded' or (return_id is null and outcome = 'declined'))), false)
      as is_let_go,
    coalesce(bool_or(kind = 'capture'), false) as has_capture,
    min(currency_code) as currency_code, max(currency_code) as other_currency_code
  from attempt where kind in ('capture', 'reverse') and not is_automatic group by 1, 2`;

/** Holds: money is taken or let go, once, and in time. */
export const holdChecks: readonly Check[] = [
  checkSql(
    "holds-end-once",
    "A hold has at most one end, and its charge is as far as that: captured for the capture's amount, or let go.",
    `select c.account_id, c.charge_id, c.state, c.is_held, c.amount_minor, c.captured_minor, c.release_time, e.ends_count,
        e.taken_minor, e.is_let_go
      from charge c left join (${ENDS}) e using (account_id, charge_id)
      where case when c.is_held and c.state = 'succeeded'
        then coalesce(e.ends_count, 0) > 1 or c.captured_minor <> coalesce(e.taken_minor, 0)
          or (c.release_time is not null) <> coalesce(e.is_let_go, false)
          or e.currency_code <> c.currency_code or e.other_currency_code <> c.currency_code
        else e.has_capture or c.release_time is not null end`,
  ),
  checkSql(
    "holds-booked",
    "What was captured of a hold is booked by its capture, and any other charge by its purchase.",
    `select l.account_id, l.charge_id, l.ledger_transfer_id, l.attempt_id, t.kind, t.state, c.is_held
      from ledger_transfer l join charge c using (account_id, charge_id)
      left join attempt t on t.account_id = l.account_id and t.attempt_id = l.attempt_id
      where l.kind = 'charge'
        and (t.charge_id, t.kind) is distinct from (l.charge_id, case when c.is_held then 'capture' else 'purchase' end)`,
  ),
  checkSql(
    "holds-in-time",
    "What was not captured in time is let go, or is being let go.",
    `select c.account_id, c.charge_id, c.amount_minor, c.capture_before_time
      from charge c left join customer u on u.account_id = c.account_id and u.customer_id = c.customer_id
      where c.is_held and c.state = 'succeeded' and c.captured_minor = 0 and c.release_time is null
        -- Who lives on a test clock may be moved past it at any time: the next sweep lets go.
        and u.test_clock_id is null and c.capture_before_time < business_now(c.account_id) - ${OVERDUE}
        and not exists (select from attempt t where t.account_id = c.account_id and t.charge_id = c.charge_id
          and t.kind in ('capture', 'reverse') and t.state <> 'failed')`,
  ),
  checkSql(
    "releases-whole",
    "A return that releases is of a charge that is only held, of the whole of it, by a reversal, and no other return is.",
    `select r.account_id, r.return_id, r.charge_id, r.state, r.is_release, r.amount_minor, t.kind, c.is_held,
        c.amount_minor as held_minor, c.release_time
      from charge_return r join charge c using (account_id, charge_id)
      left join attempt t on t.account_id = r.account_id and t.return_id = r.return_id
      where r.is_release <> (t.kind is not distinct from 'reverse')
        or (r.is_release and (not c.is_held or r.amount_minor <> c.amount_minor))
        or (r.is_release and r.state = 'succeeded' and c.release_time is null)`,
  ),
];
