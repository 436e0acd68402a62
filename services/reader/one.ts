import { Code } from "@connectrpc/connect";
import type { Query, Statement } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";
import { createReadBatcher } from "./read-batcher.ts";

/** Which row: an account's, by its id. */
export interface Key {
  readonly accountId: string;
  readonly id: string;
}

/** How one kind of row is found by its id. */
export interface Finding {
  /** Stands for it in the statement's name, and in the reason when it is not there: CUSTOMER_NOT_FOUND. */
  readonly name: string;
  /** A select from the accounts `$1` and ids `$2`, unnested as `i(account_id, id)` and joined with the table. */
  readonly text: string;
  /** The column that holds the id. */
  readonly key: string;
}

/**
 * Creates a reader of one kind of row: reads that arrive together share a statement (read-batcher.ts), and nothing is kept.
 * Refuses with NOT_FOUND what is not there, another account's rows included.
 */
export function createOne<Row, Noun>(
  query: Query,
  finding: Finding,
  nounOf: (row: Row) => Noun,
): (key: Key) => Promise<Noun> {
  const statement = { name: `get_${finding.name}`, text: finding.text };
  const read = createReadBatcher<Key, Row | undefined>((keys) => load<Row>(query, { statement, finding }, keys));
  return async (key) => {
    const row = await read(key);
    if (row !== undefined) return nounOf(row);
    const words = finding.name.replaceAll("_", " ");
    return refuse(
      Code.NotFound,
      `${finding.name.toUpperCase()}_NOT_FOUND`,
      `no ${words} ${key.id}`,
      `${finding.name}_id`,
    );
  };
}

type Found<Row> = Row & { of_account_id: string } & Record<string, unknown>;

async function load<Row>(
  query: Query,
  { statement, finding }: { statement: Statement; finding: Finding },
  keys: readonly Key[],
): Promise<(Row | undefined)[]> {
  const rows = await query<Found<Row>>(statement, [keys.map((key) => key.accountId), keys.map((key) => key.id)]);
  const found = new Map(rows.map((row) => [`${row.of_account_id} ${String(row[finding.key])}`, row]));
  return keys.map((key) => found.get(`${key.accountId} ${key.id}`));
}
