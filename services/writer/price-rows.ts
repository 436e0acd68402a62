import { Code } from "@connectrpc/connect";
import { IntervalUnit, type Price } from "../../gen/tripe/billing/v1/product_pb.ts";
import type { Query } from "../_database/connect.ts";
import { nullIfEmpty } from "../_database/rows/fields.ts";
import { type PriceRow, priceColumns, priceJoins, priceOf } from "../_database/rows/product.ts";
import { intervalUnits } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { changed, type EventDraft } from "./event-drafts.ts";

/** Whoever claims a lookup key has it to itself until it commits: what another made of it is then seen. */
const LOCK_LOOKUP_KEY = {
  name: "lock_lookup_key",
  text: "select 1 from pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0))",
};

const FREE_LOOKUP_KEY = {
  name: "free_lookup_key",
  text: `update price set lookup_key = null where account_id = $1 and lookup_key = $2 and price_id <> $3
    returning price_id`,
};

const LOOKUP_KEY_TAKEN = {
  name: "lookup_key_taken",
  text: "select 1 from price where account_id = $1 and lookup_key = $2 and price_id <> $3",
};

const INSERT = {
  name: "insert_price",
  text: `insert into price (account_id, price_id, product_id, currency_code, unit_amount_minor, interval_unit,
      interval_count, trial_period_days, lookup_key, nickname, is_active, metadata, create_time)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, business_now($1))`,
};

const LOCK = {
  name: "lock_price",
  text: `select ${priceColumns} from price p ${priceJoins} where p.account_id = $1 and p.price_id = $2 for no key update of p`,
};

/** Inserts a price of a product that is there; says what is to be told of others. Refuses as `claimLookupKey` does. */
export async function insertPrice(
  query: Query,
  { accountId, price, isTransferred }: { accountId: string; price: Price; isTransferred: boolean },
): Promise<EventDraft[]> {
  const { unitAmount, recurrence } = price;
  assert(unitAmount !== undefined, "a price comes with its amount");
  const loss = await claimLookupKey(query, { accountId, price, isTransferred });
  const isRecurring = recurrence !== undefined && recurrence.unit !== IntervalUnit.UNSPECIFIED;
  await query(INSERT, [
    accountId,
    price.priceId,
    price.productId,
    unitAmount.currencyCode,
    unitAmount.amountMinor,
    isRecurring ? intervalUnits.word(recurrence.unit) : null,
    isRecurring ? recurrence.count : null,
    price.trialPeriodDays,
    nullIfEmpty(price.lookupKey),
    price.nickname,
    price.isActive,
    JSON.stringify(price.metadata),
  ]);
  return loss;
}

/**
 * Takes a lookup key from the price that has it, and says what is to be told of that one; or refuses with ALREADY_EXISTS,
 * reason LOOKUP_KEY_TAKEN.
 */
export async function claimLookupKey(
  query: Query,
  { accountId, price, isTransferred }: { accountId: string; price: Price; isTransferred: boolean },
): Promise<EventDraft[]> {
  if (price.lookupKey === "") return [];
  await query(LOCK_LOOKUP_KEY, [accountId, price.lookupKey]);
  const values = [accountId, price.lookupKey, price.priceId];
  if (!isTransferred) {
    if ((await query(LOOKUP_KEY_TAKEN, values)).length === 0) return [];
    refuse(Code.AlreadyExists, "LOOKUP_KEY_TAKEN", `another price has the lookup key ${price.lookupKey}`, "lookup_key");
  }
  // A lookup key is unique: at most one price loses it.
  const [loser] = await query<{ price_id: string }>(FREE_LOOKUP_KEY, values);
  if (loser === undefined) return [];
  const after = await lockPrice(query, { accountId, priceId: loser.price_id });
  const before = { ...after, lookupKey: price.lookupKey };
  return changed("price.updated", "price", { before, after });
}

/** Reads a price and holds it until the transaction ends. Refuses with NOT_FOUND, reason PRICE_NOT_FOUND. */
export async function lockPrice(query: Query, key: { accountId: string; priceId: string }): Promise<Price> {
  const [row] = await query<PriceRow>(LOCK, [key.accountId, key.priceId]);
  if (row === undefined) refuse(Code.NotFound, "PRICE_NOT_FOUND", `no price ${key.priceId}`, "price_id");
  return priceOf(row);
}
