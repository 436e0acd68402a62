import { type Check, checkSql } from "../check.ts";

/** The three sides of each transfer of a kind, one row a transfer, with its first and its last currency: one, if all is well. */
const sidesOf = (kind: "charge" | "return") => `
  select t.account_id, t.ledger_transfer_id, t.charge_id, t.return_id, t.attempt_id, min(e.currency_code) as currency_code,
    coalesce(sum(e.amount_minor) filter (where e.ledger_account = 'bank_clearing'), 0) as clearing_minor,
    coalesce(sum(e.amount_minor) filter (where e.ledger_account = 'merchant_balance'), 0) as merchant_minor,
    coalesce(sum(e.amount_minor) filter (where e.ledger_account = 'fees'), 0) as fees_minor,
    max(e.currency_code) as other_currency_code
  from ledger_transfer t left join ledger_entry e using (account_id, ledger_transfer_id)
  where t.kind = '${kind}' group by 1, 2, 3, 4, 5`;

/** Charges and returns: what the nouns say is what the ledger says. */
export const chargeChecks: readonly Check[] = [
  checkSql(
    "charges-booked",
    "What was taken of a charge is what its transfer says: clearing it, a fee within it, the rest the merchant's. Without one, it is at most held.",
    `select coalesce(c.account_id, s.account_id) as account_id, coalesce(c.charge_id, s.charge_id) as charge_id, c.state,
        c.amount_minor, c.captured_minor, c.currency_code, c.ledger_transfer_id as named_transfer_id, s.ledger_transfer_id,
        s.clearing_minor::text, s.merchant_minor::text, s.fees_minor::text, s.currency_code as booked_currency_code
      from (select * from charge where state = 'succeeded' and not (is_held and captured_minor = 0)) c
      full join (${sidesOf("charge")}) s using (account_id, charge_id)
      where c.charge_id is null or s.ledger_transfer_id is null or s.ledger_transfer_id is distinct from c.ledger_transfer_id
        or s.clearing_minor <> c.captured_minor or s.currency_code <> c.currency_code
        or s.other_currency_code <> c.currency_code
        or s.fees_minor > 0 or s.fees_minor < -c.captured_minor
        or s.merchant_minor <> -c.captured_minor - s.fees_minor`,
  ),
  checkSql(
    "returns-booked",
    "A return has succeeded, and not as a release, if and only if its transfer stands: its amount from the merchant to clearing, and no fee.",
    `select coalesce(r.account_id, s.account_id) as account_id, coalesce(r.return_id, s.return_id) as return_id, r.state,
        r.amount_minor, r.currency_code, r.ledger_transfer_id as named_transfer_id, s.ledger_transfer_id,
        s.clearing_minor::text, s.merchant_minor::text, s.fees_minor::text, s.currency_code as booked_currency_code
      from (select * from charge_return where state = 'succeeded' and not is_release) r
      full join (${sidesOf("return")}) s using (account_id, return_id)
      where r.return_id is null or s.ledger_transfer_id is null or s.ledger_transfer_id is distinct from r.ledger_transfer_id
        or s.clearing_minor <> -r.amount_minor or s.merchant_minor <> r.amount_minor or s.fees_minor <> 0
        or s.currency_code <> r.currency_code or s.other_currency_code <> r.currency_code or s.charge_id <> r.charge_id`,
  ),
  checkSql(
    "returns-within",
    "What is returned of a charge is the sum of its returns, and never more than was captured.",
    `select c.account_id, c.charge_id, c.state, c.captured_minor, c.returned_minor, r.open_minor::text, r.currency_codes
      from charge c left join (
        select account_id, charge_id, sum(amount_minor) filter (where state in ('pending', 'succeeded') and not is_release) as open_minor,
          array_agg(distinct currency_code) as currency_codes
        from charge_return group by 1, 2
      ) r using (account_id, charge_id)
      where c.returned_minor > c.captured_minor or c.captured_minor > c.amount_minor
        or c.returned_minor <> coalesce(r.open_minor, 0)
        or r.currency_codes <> array[c.currency_code]`,
  ),
];
