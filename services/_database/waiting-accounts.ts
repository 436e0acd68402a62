/**
 * The beginning of a statement: `waiting`, the accounts that have rows of a table under a condition, each found by one step
 * in an index on (account_id, …) with that condition, however many rows it has. The words are never a caller's.
 */
export function waitingAccounts(table: string, condition: string): string {
  return `with recursive next as (
      (select account_id from ${table} where ${condition} order by account_id limit 1)
      union all
      select (select t.account_id from ${table} t where ${condition} and t.account_id > n.account_id
        order by t.account_id limit 1)
      from next n where n.account_id is not null
    ), waiting as (select account_id from next where account_id is not null)`;
}
