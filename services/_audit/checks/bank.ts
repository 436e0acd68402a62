import { type Check, checkSql, findRows } from "../check.ts";
import { OVERDUE } from "./attempts.ts";

// Which is read first, the books or the statement? The bank is told of a charge after commit A and heard before commit B:
//   commit A (the attempt) < the effect at the bank < commit B (the booking).
// The snapshot comes first, then the statement. What is booked in the snapshot had its effect before it, so the statement
// has the line: a booked attempt without one is an error, always. The statement may also have lines that are newer than
// the snapshot: their attempt is pending in it, which is allowed, or not in it at all. Those last are looked for again
// once the snapshot is over: the effect came after commit A, and the line was read before this look, so the attempt must
// be there now. Whatever has none even then has no attempt. No clock of the bank's is trusted in this, and none is needed.
// The other order would find a booking whose line was written after the statement was read: a false alarm under load.

/** What an attempt is called in the statement. */
const EFFECT_KIND = "case t.kind when 'reverse' then 'reversal' else t.kind end";

/** What a line moves: to the merchant, or from the merchant. */
const SIGNED = "case when e.kind in ('purchase', 'capture') then e.amount_minor else -e.amount_minor end";

/** A booked attempt that moved money: holds, and holds let go, are not in the statement. */
const MOVED = `t.state = 'succeeded' and (t.kind in ('purchase', 'capture', 'refund') or (t.kind = 'reverse' and exists (
  select from attempt o where o.account_id = t.account_id and o.bank_ref = t.original_bank_ref and o.kind = 'purchase')))`;

/** The bank's statement against the books, line by line. They need it loaded, and run inside the snapshot. */
export const bankChecks: readonly Check[] = [
  checkSql(
    "bank-effects",
    "Every effect at the bank is of one attempt that is booked, or may still be, for the same money.",
    `select e.line, e.time, e.bank_ref, e.kind, e.amount_minor, e.currency_code, t.account_id, t.attempt_id,
        t.kind as attempt_kind, t.state as attempt_state, t.amount_minor as attempt_minor,
        t.currency_code as attempt_currency_code, t.resolve_time
      from audit_effect e join attempt t using (bank_ref)
      where t.state = 'failed'
        or (t.state = 'pending' and t.resolve_time < $1::timestamptz - ${OVERDUE})
        or (e.kind, e.amount_minor, e.currency_code, e.original_bank_ref)
          is distinct from (${EFFECT_KIND}, t.amount_minor, t.currency_code, t.original_bank_ref)`,
  ),
  checkSql(
    "bank-bookings",
    "Every booked attempt had its effect at the bank.",
    `select t.account_id, t.attempt_id, t.bank_ref, t.kind, t.amount_minor, t.currency_code, t.settle_time
      from attempt t where ${MOVED} and not exists (select from audit_effect e where e.bank_ref = t.bank_ref)`,
  ),
  checkSql(
    "bank-clearing",
    "The statement is the clearing account, line by line: the same attempt, the same money, the same direction.",
    `select coalesce(b.account_id, l.account_id) as account_id, coalesce(b.attempt_id, l.attempt_id) as attempt_id,
        b.bank_ref, b.signed_minor::text as bank_minor, b.currency_code as bank_currency_code, l.ledger_transfer_id,
        l.amount_minor::text as clearing_minor, l.currency_code as clearing_currency_code
      from (
        select t.account_id, t.attempt_id, e.bank_ref, ${SIGNED} as signed_minor, e.currency_code
        from audit_effect e join attempt t using (bank_ref) where t.state = 'succeeded'
      ) b full join (
        select t.account_id, t.attempt_id, t.ledger_transfer_id, e.amount_minor, e.currency_code
        from ledger_transfer t join ledger_entry e using (account_id, ledger_transfer_id)
        where e.ledger_account = 'bank_clearing'
      ) l using (account_id, attempt_id)
      where (b.signed_minor, b.currency_code) is distinct from (l.amount_minor, l.currency_code)`,
  ),
  checkSql(
    "bank-once",
    "No bank reference had two effects.",
    `select bank_ref, count(*)::int as effects_count, min(time) as first_time, max(time) as last_time
      from audit_effect group by bank_ref having count(*) > 1`,
  ),
  checkSql(
    "bank-net",
    "What the bank moved for a charge, in sum, is what was captured of it less what was returned.",
    `select c.account_id, c.charge_id, c.state, c.captured_minor, coalesce(r.returned_minor, 0)::text as returned_minor,
        coalesce(b.moved_minor, 0)::text as bank_minor
      from charge c left join (
        select t.account_id, t.charge_id, sum(${SIGNED}) as moved_minor
        from audit_effect e join attempt t using (bank_ref) group by 1, 2
      ) b using (account_id, charge_id)
      left join (
        select account_id, charge_id, sum(amount_minor) as returned_minor
        from charge_return where state = 'succeeded' and not is_release group by 1, 2
      ) r using (account_id, charge_id)
      where coalesce(b.moved_minor, 0) <> c.captured_minor - coalesce(r.returned_minor, 0)
        and not exists (
          select from attempt t
          where t.account_id = c.account_id and t.charge_id = c.charge_id and t.state in ('pending', 'given_up')
        )`,
  ),
];

/** Keeps the lines that no attempt of the snapshot explains; to be run in the snapshot. */
export const KEEP_UNKNOWN_EFFECTS = `insert into audit_unknown_effect
  select e.* from audit_effect e where not exists (select from attempt t where t.bank_ref = e.bank_ref)`;

/** The second look, for when the snapshot is over. */
export const unknownEffectsCheck: Check = {
  name: "bank-unknown",
  sentence: "No effect at the bank is without an attempt.",
  find: (snapshot) =>
    findRows(
      snapshot,
      `select e.line, e.time, e.bank_ref, e.kind, e.amount_minor, e.currency_code from audit_unknown_effect e
        where not exists (select from attempt t where t.bank_ref = e.bank_ref)`,
    ),
};
