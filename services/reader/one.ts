import { Code } from "@connectrpc/connect";
import DataLoader from "dataloader";
import type { Query } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";

/** Which row: an account's, by its id. */
export interface Key {
  readonly accountId: string;
  readonly id: string;
}

/** How one kind of row is found by its id. */
export interface Finding {
  /** Stands for it in the statement's name, and in the reason when it is not there: CUSTOMER_NOT_FOUND. */
  readonly name: string;
  /** A select from `unnest($1::text[], $2::text[]) as i(account_id, id)` joined with the table. */
  readonly text: string;
  /** The column that holds the id. */
  readonly key: string;
}

/** A statement's arrays stay below this; a tick that asks for more runs several. */
const BATCH_MAX = 256;

/**
 * Creates a reader of one kind of row: all that is asked in one tick is one statement. Nothing is kept after the tick. Refuses
 * with NOT_FOUND what is not there, another account's rows included.
 */
export function createOne<Row, Noun>(
  query: Query,
  finding: Finding,
  nounOf: (row: Row) => Noun,
): (key: Key) => Promise<Noun> {
  const loader = new DataLoader<Key, Row | undefined, string>((keys) => load<Row>(query, finding, keys), {
    cache: false,
    maxBatchSize: BATCH_MAX,
  });
  return async (key) => {
    const row = await loader.load(key);
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

async function load<Row>(query: Query, finding: Finding, keys: readonly Key[]): Promise<(Row | undefined)[]> {
  const statement = { name: `get_${finding.name}`, text: finding.text };
  type Found = Row & { of_account_id: string } & Record<string, unknown>;
  const rows = await query<Found>(statement, [keys.map((key) => key.accountId), keys.map((key) => key.id)]);
  const found = new Map(rows.map((row) => [`${row.of_account_id} ${String(row[finding.key])}`, row]));
  return keys.map((key) => found.get(`${key.accountId} ${key.id}`));
}
