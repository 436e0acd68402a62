import { type Check, checkSql, findRows, type Offending } from "../check.ts";
import type { Snapshot } from "../snapshot.ts";

/** Idempotency: an answered key stands for a noun that is there, and a noun for the one key that made it. */
export const idempotencyChecks: readonly Check[] = [
  {
    name: "answers-exist",
    sentence: "Every answered request id names a noun that exists, or whose deletion was told.",
    find: findLostNouns,
  },
  checkSql(
    "keys-agree",
    "The request id that made a charge or a return, or captured a charge, is answered with it once that has ended, and with nothing else.",
    `select n.account_id, n.noun_id, n.state, n.request_id, d.noun_id as answered_noun_id, d.finish_time
      from (select account_id, charge_id as noun_id, state, request_id from charge
        union all select account_id, return_id, state, request_id from charge_return
        union all select account_id, charge_id, state, request_id from attempt where request_id is not null) n
      left join idempotency d using (account_id, request_id)
      where d.noun_id is distinct from n.noun_id or (n.state = 'pending') <> (d.answer is null)
    union all
    select account_id, d.noun_id, null, request_id, null, null
      from idempotency d
      where answer is null
        and not exists (select from charge c where c.account_id = d.account_id and c.charge_id = d.noun_id)
        and not exists (select from charge_return r where r.account_id = d.account_id and r.return_id = d.noun_id)`,
  ),
  checkSql(
    "claims-agree",
    "The request id by which an invoice was collected stands for that charge among all request ids too, and for nothing else.",
    `select k.account_id, k.request_id, k.invoice_id, k.charge_id, d.noun_id
      from collection_claim k left join idempotency d using (account_id, request_id)
      where d.noun_id is distinct from k.charge_id`,
  ),
];

/** Tables whose rows are not nouns: nobody is answered with one. */
const NOT_NOUNS = [
  "idempotency",
  "attempt",
  "ledger_transfer",
  "event",
  "alert",
  "api_key",
  "account",
  "collection_claim",
];

/** The tables a noun can be in, from the catalog: keyed by an account and one id more. A later migration's are among them. */
const NOUN_TABLES = `
  select t.relname::text as table_name, quote_ident(t.relname) as quoted_table, quote_ident(a.attname) as quoted_id
  from pg_index i join pg_class t on t.oid = i.indrelid
    join pg_attribute k on k.attrelid = t.oid and k.attnum = i.indkey[0]
    join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[1]
  where i.indisprimary and i.indnkeyatts = 2 and t.relnamespace = 'tripe'::regnamespace
    and k.attname = 'account_id' and a.atttypid = 'text'::regtype
  order by 1`;

interface NounTable {
  readonly table_name: string;
  readonly quoted_table: string;
  readonly quoted_id: string;
}

async function findLostNouns(snapshot: Snapshot): Promise<Offending> {
  const tables = await snapshot.query<NounTable>(NOUN_TABLES);
  // One list of them all: an anti-join for each costs Postgres a tenth of a second to plan.
  const nouns = tables
    .filter(({ table_name }) => !NOT_NOUNS.includes(table_name))
    .map(({ quoted_table, quoted_id }) => `select account_id, ${quoted_id} as noun_id from ${quoted_table}`)
    .concat("select account_id, object_id from event where type like '%.deleted'");
  return findRows(
    snapshot,
    `select account_id, request_id, noun_id, public_request_id, finish_time from idempotency d
      where answer is not null and not exists (select from (${nouns.join(" union all ")}) n
        where n.account_id = d.account_id and n.noun_id = d.noun_id)`,
  );
}
