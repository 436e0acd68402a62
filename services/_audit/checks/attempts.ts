import { type Check, checkSql } from "../check.ts";

/**
 * After the end of its lease (20 s) or of its rung of the ladder, which is the time written in resolve_time, an attempt is
 * taken up by the next sweep: within a second. A minute is 7-reliability.md's limit (T1) for one that a crash left behind.
 */
export const OVERDUE = "interval '60 s'";

/** A charge is given up after 72 hours (3-money.md); an hour more is the last rung of the ladder. */
const AGE_MAX = "interval '73 h'";

/** The bank did it after Tripe had given it up: its charge stays failed, and what was taken is booked apart. */
const IS_LATE = `(t.state = 'succeeded' and (t.kind = 'authorize' or exists (select from ledger_transfer l
  where l.account_id = t.account_id and l.attempt_id = t.attempt_id and l.kind = 'late_charge')))`;

/** Attempts: what was asked of a bank is over, or is being asked about. */
export const attemptChecks: readonly Check[] = [
  checkSql(
    "attempts-resolve",
    "Every attempt is final, or due for resolving and not overdue; no charge's is open after 73 hours.",
    `select t.account_id, t.attempt_id, t.kind, t.state, t.outcome, t.resolve_time, t.begin_time, t.tries,
        case when t.state not in ('pending', 'given_up') or t.resolve_time is null then 'neither final nor due'
          when t.resolve_time < $1::timestamptz - ${OVERDUE} then 'overdue' else 'too old' end as problem
      from attempt t
      where (t.state in ('pending', 'given_up')
          and (t.resolve_time is null or t.resolve_time < $1::timestamptz - ${OVERDUE}))
        or (t.state in ('succeeded', 'failed')
          and (t.outcome is null or t.settle_time is null or t.resolve_time is not null))
        or (t.state = 'pending' and t.kind in ('purchase', 'authorize')
          and t.begin_time < $1::timestamptz - ${AGE_MAX})`,
  ),
  checkSql(
    "attempts-fit",
    "Every charge and every return is as far as its one attempt, which asks for its money.",
    `select c.account_id, c.charge_id, null as return_id, c.state, c.amount_minor, t.attempt_id, t.state as attempt_state,
        t.amount_minor as attempt_minor, t.currency_code
      from charge c left join attempt t
        on t.account_id = c.account_id and t.charge_id = c.charge_id and t.kind in ('purchase', 'authorize')
      where (t.amount_minor, t.currency_code) is distinct from (c.amount_minor, c.currency_code)
        or (t.state is distinct from c.state and not (c.state = 'failed' and (t.state = 'given_up' or ${IS_LATE})))
    union all
    select r.account_id, r.charge_id, r.return_id, r.state, r.amount_minor, t.attempt_id, t.state, t.amount_minor,
        t.currency_code
      from charge_return r left join attempt t on t.account_id = r.account_id and t.return_id = r.return_id
      where r.state <> 'canceled'
        and (t.state, t.amount_minor, t.currency_code) is distinct from (r.state, r.amount_minor, r.currency_code)`,
  ),
  checkSql(
    "bank-references",
    "Every bank reference belongs to one attempt, of all accounts.",
    `select bank_ref, count(*)::int as attempts_count, min(attempt_id) as first_id, max(attempt_id) as last_id
      from attempt group by bank_ref having count(*) > 1`,
  ),
];
