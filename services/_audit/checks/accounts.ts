import { type Check, checkSql } from "../check.ts";

/** Tables without a foreign key to account: what each charge writes. */
const TABLES = ["charge", "attempt", "idempotency", "ledger_transfer", "ledger_entry", "event"];

/** Accounts: the rows of each belong to one that exists. */
export const accountChecks: readonly Check[] = [
  checkSql(
    "accounts-exist",
    "Every charge, attempt, request id, booking, entry and event is of an account that exists.",
    TABLES.map(
      (table) => `select '${table}' as table_name, h.account_id, count(*)::int as rows_count from ${table} h
        where not exists (select from account a where a.account_id = h.account_id) group by h.account_id`,
    ).join(" union all "),
  ),
];
