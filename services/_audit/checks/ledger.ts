import { type Check, checkSql } from "../check.ts";

/** The ledger by itself: double entry holds in each transfer and over all of them. */
export const ledgerChecks: readonly Check[] = [
  checkSql(
    "transfers-balance",
    "Every transfer has entries, and they sum to zero in each currency.",
    `select t.account_id, t.ledger_transfer_id, e.currency_code, sum(e.amount_minor)::text as sum_minor
      from ledger_transfer t left join ledger_entry e using (account_id, ledger_transfer_id)
      group by 1, 2, 3 having coalesce(sum(e.amount_minor), 1) <> 0`,
  ),
  checkSql(
    "ledger-balances",
    "The whole ledger sums to zero in each currency, of each account and over all.",
    `select account_id, currency_code, sum(amount_minor)::text as sum_minor
      from ledger_entry group by grouping sets ((account_id, currency_code), (currency_code))
      having sum(amount_minor) <> 0`,
  ),
  checkSql(
    "suspense-clears",
    "What a bank took after its attempt was given up stands in suspense while it is being given back, and no longer.",
    `select t.account_id, t.charge_id, e.currency_code, sum(e.amount_minor)::text as sum_minor
      from ledger_entry e join ledger_transfer t using (account_id, ledger_transfer_id)
      where e.ledger_account = 'suspense' and not exists (
        select from attempt a where a.account_id = t.account_id and a.charge_id = t.charge_id and a.is_automatic
          and (a.state = 'pending' or exists (select from alert r
            where r.account_id = a.account_id and r.object_id = a.attempt_id and r.resolve_time is null))
      )
      group by 1, 2, 3 having sum(e.amount_minor) <> 0`,
  ),
];
