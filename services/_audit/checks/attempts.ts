import { type Check, checkSql } from "../check.ts";

/**
 * After the end of its lease (20 s) or of its rung of the ladder, which is the time written in resolve_time, an attempt is
 * taken up by the next sweep: within a second. A minute is 7-reliability.md's limit (T1) for one that a crash left behind.
 */
export const OVERDUE = "interval '60 s'";

/** The resolver asks for 72 hours (3-money.md); an hour more is its last rung. */
const AGE_MAX = "interval '73 h'";

/** Attempts: what was asked of a bank is over, or is being asked about. */
export const attemptChecks: readonly Check[] = [
  checkSql(
    "attempts-resolve",
    "Every attempt is final, or due for resolving and not overdue.",
    `select t.account_id, t.attempt_id, t.kind, t.state, t.outcome, t.resolve_time, t.create_time, t.tries,
        case when t.state <> 'pending' or t.resolve_time is null then 'neither final nor due'
          when t.resolve_time < $1::timestamptz - ${OVERDUE} then 'overdue' else 'too old' end as problem
      from attempt t join charge c on c.account_id = t.account_id and c.charge_id = t.charge_id
        left join customer u on u.account_id = c.account_id and u.customer_id = c.customer_id
      where (t.state = 'pending' and (t.resolve_time is null or t.resolve_time < $1::timestamptz - ${OVERDUE}))
        or (t.state <> 'pending' and (t.outcome is null or t.settle_time is null or t.resolve_time is not null))
        -- Who lives on a test clock may have been born at any time.
        or (t.state = 'pending' and t.create_time < $1::timestamptz - ${AGE_MAX} and u.test_clock_id is null)`,
  ),
  checkSql(
    "attempts-fit",
    "Every charge and every return is as far as its one attempt, which asks for its money.",
    `select c.account_id, c.charge_id, null as return_id, c.state, c.amount_minor, t.attempt_id, t.state as attempt_state,
        t.amount_minor as attempt_minor, t.currency_code
      from charge c left join attempt t
        on t.account_id = c.account_id and t.charge_id = c.charge_id and t.kind in ('purchase', 'authorize')
      where (t.state, t.amount_minor, t.currency_code) is distinct from (c.state, c.amount_minor, c.currency_code)
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
