import type { Client } from "pg";
import type { KeySource } from "../_runtime/key-files.ts";
import type { KeyKind } from "../_runtime/key-ring.ts";
import { SealError, seal, unseal } from "../_runtime/seal.ts";

/** The kinds of keys that values in the database are sealed with. */
export type SealingKind = Extract<KeyKind, "card" | "webhook">;

interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** The primary key, the account first. */
  readonly key: readonly string[];
  /** The object within the account that a value is sealed for (services/_runtime/seal.ts). */
  readonly objectOf: (key: readonly string[]) => string;
}

const second = (key: readonly string[]): string => key[1] ?? "";

const columns: Readonly<Record<SealingKind, readonly SealedColumn[]>> = {
  card: [
    { table: "payment_method", column: "sealed_card", key: ["account_id", "payment_method_id"], objectOf: second },
    {
      table: "payment_method",
      column: "sealed_cvc",
      key: ["account_id", "payment_method_id"],
      // A sealed CVC opens as no card (services/bank/vault.ts).
      objectOf: (key) => `${second(key)}/cvc`,
    },
  ],
  webhook: [
    {
      table: "webhook_secret",
      column: "sealed_secret",
      key: ["account_id", "webhook_endpoint_id", "request_id"],
      objectOf: second,
    },
  ],
};

/** Says whether values in the database are sealed with keys of a kind. */
export function isSealing(kind: KeyKind): kind is SealingKind {
  return Object.hasOwn(columns, kind);
}

/** Rows that are read, and then written, together: half a millisecond each, and a lock on none of them for longer. */
const SET_MAX = 500;

/** What came of sealing anew: how many values have the first key now, and how many no key of the ring opens. */
export interface Resealed {
  readonly count: number;
  readonly unopenedCount: number;
}

/**
 * Seals with the first key what is sealed with another, set by set, while Tripe runs: a value that changed meanwhile stays as it is. What
 * does not open stays too, and is counted.
 */
export async function reseal(client: Client, kind: SealingKind, keys: KeySource): Promise<Resealed> {
  let [count, unopenedCount] = [0, 0];
  for (const column of columns[kind]) {
    const resealed = await resealColumn(client, column, keys);
    count += resealed.count;
    unopenedCount += resealed.unopenedCount;
  }
  return { count, unopenedCount };
}

async function resealColumn(client: Client, column: SealedColumn, keys: KeySource): Promise<Resealed> {
  const { first } = keys.latest();
  let [count, unopenedCount] = [0, 0];
  let after: readonly string[] = column.key.map(() => "");
  for (;;) {
    const rows = await readSet(client, column, { firstId: first.id, after });
    const fresh = rows.flatMap((row) => {
      const value = resealOne(keys, row, column);
      return value === undefined ? [] : [{ ...row, value }];
    });
    unopenedCount += rows.length - fresh.length;
    count += await writeSet(client, column, fresh);
    const last = rows.at(-1);
    if (last === undefined || rows.length < SET_MAX) return { count, unopenedCount };
    after = last.key;
  }
}

/** Counts the values that are sealed with another key than this one. */
export async function countSealedOtherwise(client: Client, kind: SealingKind, firstId: string): Promise<number> {
  let sum = 0;
  for (const { table, column } of columns[kind]) {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from tripe.${table}
        where ${column} is not null and substring(${column} from 2 for 4) <> decode($1, 'hex')`,
      [firstId],
    );
    sum += rows[0]?.count ?? 0;
  }
  return sum;
}

interface SealedRow {
  readonly key: string[];
  readonly sealed: Buffer;
}

async function readSet(
  client: Client,
  { table, column, key }: SealedColumn,
  { firstId, after }: { firstId: string; after: readonly string[] },
): Promise<SealedRow[]> {
  const values = key.map((_, index) => `$${index + 2}`);
  const { rows } = await client.query<SealedRow>(
    `select array[${key.join(", ")}] as key, ${column} as sealed from tripe.${table}
      where (${key.join(", ")}) > (${values.join(", ")})
        and ${column} is not null and substring(${column} from 2 for 4) <> decode($1, 'hex')
      order by ${key.join(", ")} limit ${SET_MAX}`,
    [firstId, ...after],
  );
  return rows;
}

function resealOne(keys: KeySource, { key, sealed }: SealedRow, { objectOf }: SealedColumn): Uint8Array | undefined {
  const [accountId = ""] = key;
  const owner = { accountId, objectId: objectOf(key) };
  try {
    return seal(keys, unseal(keys, sealed, owner), owner);
  } catch (error) {
    if (error instanceof SealError) return undefined;
    throw error;
  }
}

async function writeSet(
  client: Client,
  { table, column, key }: SealedColumn,
  rows: readonly (SealedRow & { readonly value: Uint8Array })[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const names = [...key, "old", "fresh"];
  const arrays = names.map((_, index) => `$${index + 1}::${index < key.length ? "text" : "bytea"}[]`);
  const { rowCount } = await client.query(
    `update tripe.${table} t set ${column} = i.fresh
      from unnest(${arrays.join(", ")}) as i(${names.join(", ")})
      where ${key.map((name) => `t.${name} = i.${name}`).join(" and ")} and t.${column} = i.old`,
    [
      ...key.map((_, index) => rows.map((row) => row.key[index])),
      rows.map(({ sealed }) => sealed),
      rows.map(({ value }) => value),
    ],
  );
  return rowCount ?? 0;
}
