import type { OwnerClient } from "./measured-tripe.ts";

/** The schema of the yardstick's tables, in the database that is measured. */
export const SCHEMA = "yardstick";

/** How many customers the yardstick charges. */
export const CUSTOMERS = 100;

/** Of what the yardstick has a copy: the tables that a charge writes, and those it hangs on. */
const copied = [
  ...["account", "customer", "payment_method"],
  ...["idempotency", "charge", "attempt", "ledger_transfer", "ledger_entry", "event"],
] as const;

/**
 * Makes the yardstick's tables: the same columns, checks, keys and indexes as Tripe's, foreign keys included, without its
 * triggers. One account and so many customers with a card are copied from Tripe's, as cus_1, cus_2, … with pm_1, pm_2, …
 */
export async function createYardstick(client: OwnerClient, customers = CUSTOMERS): Promise<void> {
  await client.query(`drop schema if exists ${SCHEMA} cascade; create schema ${SCHEMA}`);
  for (const table of copied) {
    await client.query(`create table ${SCHEMA}.${table} (like tripe.${table} including all)`);
  }
  await copyPayers(client, customers);
  await addForeignKeys(client);
  await client.query(`analyze ${SCHEMA}.account, ${SCHEMA}.customer, ${SCHEMA}.payment_method`);
}

/** Removes the yardstick: the audit then finds Tripe's own tables alone. */
export async function dropYardstick(client: OwnerClient): Promise<void> {
  await client.query(`drop schema if exists ${SCHEMA} cascade`);
}

/** Rows of the tables that a charge writes, in a schema. */
export async function countRows(client: OwnerClient, schema: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of copied.slice(3)) {
    const { rows } = await client.query<{ count: number }>(`select count(*)::int as count from ${schema}.${table}`);
    counts[table] = rows[0]?.count ?? 0;
  }
  return counts;
}

async function copyPayers(client: OwnerClient, customers: number): Promise<void> {
  const payers = `select account_id, customer_id, default_payment_method_id, row_number() over (order by customer_id) as n
    from (
      select * from tripe.customer
      where default_payment_method_id is not null and delete_time is null
        and account_id = (select account_id from tripe.customer where default_payment_method_id is not null
          group by account_id order by count(*) desc limit 1)
      order by customer_id limit ${customers}
    ) payer`;
  const { rowCount } = await client.query(`create temporary table payer as ${payers}`);
  if (rowCount !== customers)
    throw new Error(`the yardstick needs ${customers} customers with a card, not ${rowCount}`);
  await client.query(`
    insert into ${SCHEMA}.account select * from tripe.account where account_id = (select account_id from payer limit 1);
    insert into ${SCHEMA}.payment_method
      select m.* from tripe.payment_method m
      join payer p on p.account_id = m.account_id and p.default_payment_method_id = m.payment_method_id;
    insert into ${SCHEMA}.customer select c.* from tripe.customer c join payer p using (account_id, customer_id);
    update ${SCHEMA}.payment_method m set payment_method_id = 'pm_' || p.n, customer_id = 'cus_' || p.n
      from payer p where p.default_payment_method_id = m.payment_method_id;
    update ${SCHEMA}.customer c set customer_id = 'cus_' || p.n, default_payment_method_id = 'pm_' || p.n
      from payer p where p.customer_id = c.customer_id;
    drop table payer`);
}

/** `like … including all` leaves foreign keys out. Those between copied tables stay between the copies. */
async function addForeignKeys(client: OwnerClient): Promise<void> {
  await client.query("set search_path to ''");
  const { rows } = await client.query<{ table: string; definition: string }>(
    `select r.relname as table, pg_get_constraintdef(c.oid) as definition
      from pg_constraint c join pg_class r on r.oid = c.conrelid join pg_namespace n on n.oid = r.relnamespace
      where n.nspname = 'tripe' and c.contype = 'f' and r.relname = any($1)
      order by r.relname, c.conname`,
    [copied],
  );
  for (const { table, definition } of rows) {
    await client.query(`alter table ${SCHEMA}.${table} add ${pointToCopies(definition)}`);
  }
  await client.query("reset search_path");
}

/** A foreign key's definition with the copy in the place of the copied table. */
export function pointToCopies(definition: string): string {
  return definition.replace(/REFERENCES tripe\.(\w+)\(/, (whole, table: string) =>
    (copied as readonly string[]).includes(table) ? `REFERENCES ${SCHEMA}.${table}(` : whole,
  );
}
