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
  /** The part of the key that a value is sealed for, beside the account. */
  readonly object: number;
}

const columns: Readonly<Record<SealingKind, SealedColumn>> = {
  card: { table: "payment_method", column: "sealed_card", key: ["account_id", "payment_method_id"], object: 1 },
  webhook: {
    table: "webhook_secret",
    column: "sealed_secret",
    key: ["account_id", "webhook_endpoint_id", "request_id"],
    object: 1,
  },
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
  const { first } = keys.latest();
  let [count, unopenedCount] = [0, 0];
  let after: readonly string[] = columns[kind].key.map(() => "");
  for (;;) {
    const rows = await readSet(client, kind, { firstId: first.id, after });
    const fresh = rows.flatMap((row) => {
      const value = resealOne(keys, row, columns[kind].object);
      return value === undefined ? [] : [{ ...row, value }];
    });
    unopenedCount += rows.length - fresh.length;
    count += await writeSet(client, kind, fresh);
    const last = rows.at(-1);
    if (last === undefined || rows.length < SET_MAX) return { count, unopenedCount };
    after = last.key;
  }
}

/** Counts the values that are sealed with another key than this one. */
export async function countSealedOtherwise(client: Client, kind: SealingKind, firstId: string): Promise<number> {
  const { table, column } = columns[kind];
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from tripe.${table}
      where ${column} is not null and substring(${column} from 2 for 4) <> decode($1, 'hex')`,
    [firstId],
  );
  return rows[0]?.count ?? 0;
}

interface SealedRow {
  readonly key: string[];
  readonly sealed: Buffer;
}

async function readSet(
  client: Client,
  kind: SealingKind,
  { firstId, after }: { firstId: string; after: readonly string[] },
): Promise<SealedRow[]> {
  const { table, column, key } = columns[kind];
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

function resealOne(keys: KeySource, { key, sealed }: SealedRow, object: number): Uint8Array | undefined {
  const [accountId = ""] = key;
  const owner = { accountId, objectId: key[object] ?? "" };
  try {
    return seal(keys, unseal(keys, sealed, owner), owner);
  } catch (error) {
    if (error instanceof SealError) return undefined;
    throw error;
  }
}

async function writeSet(
  client: Client,
  kind: SealingKind,
  rows: readonly (SealedRow & { readonly value: Uint8Array })[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const { table, column, key } = columns[kind];
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
