import { create } from "@bufbuild/protobuf";
import { type Price, PriceSchema, type Product, ProductSchema } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { timestampOf } from "./fields.ts";
import { intervalUnits } from "./words.ts";

/** The columns of a product, from `product d` and `account a`. */
export const productColumns = `d.product_id, d.name, d.description, d.is_active, d.metadata, d.default_price_id,
  d.create_time, d.update_time, a.is_live`;

/** A row of `productColumns`. */
export interface ProductRow {
  readonly product_id: string;
  readonly name: string;
  readonly description: string;
  readonly is_active: boolean;
  readonly metadata: Record<string, string>;
  readonly default_price_id: string | null;
  readonly create_time: Date;
  readonly update_time: Date;
  readonly is_live: boolean;
}

/** The product of a row. */
export function productOf(row: ProductRow): Product {
  return create(ProductSchema, {
    productId: row.product_id,
    name: row.name,
    description: row.description,
    isActive: row.is_active,
    metadata: row.metadata,
    defaultPriceId: row.default_price_id ?? "",
    createTime: timestampOf(row.create_time),
    updateTime: timestampOf(row.update_time),
    isLive: row.is_live,
  });
}

/** The columns of a price, from `price p`, `product d` and `account a`. */
export const priceColumns = `p.price_id, p.product_id, d.name as product_name, p.currency_code, p.unit_amount_minor,
  p.interval_unit, p.interval_count, p.trial_period_days, p.lookup_key, p.nickname, p.is_active, p.metadata,
  p.create_time, a.is_live`;

/** What `priceColumns` are read from, after `price p`. */
export const priceJoins = `join product d on d.account_id = p.account_id and d.product_id = p.product_id
  join account a on a.account_id = p.account_id`;

/** A row of `priceColumns`. */
export interface PriceRow {
  readonly price_id: string;
  readonly product_id: string;
  readonly product_name: string;
  readonly currency_code: string;
  readonly unit_amount_minor: bigint;
  readonly interval_unit: string | null;
  readonly interval_count: number | null;
  readonly trial_period_days: number;
  readonly lookup_key: string | null;
  readonly nickname: string;
  readonly is_active: boolean;
  readonly metadata: Record<string, string>;
  readonly create_time: Date;
  readonly is_live: boolean;
}

/** The price of a row. */
export function priceOf(row: PriceRow): Price {
  const { interval_unit, interval_count } = row;
  return create(PriceSchema, {
    priceId: row.price_id,
    productId: row.product_id,
    productName: row.product_name,
    unitAmount: { amountMinor: row.unit_amount_minor, currencyCode: row.currency_code },
    ...(interval_unit !== null && {
      recurrence: { unit: intervalUnits.of(interval_unit), count: interval_count ?? 1 },
    }),
    trialPeriodDays: row.trial_period_days,
    lookupKey: row.lookup_key ?? "",
    nickname: row.nickname,
    isActive: row.is_active,
    metadata: row.metadata,
    createTime: timestampOf(row.create_time),
    isLive: row.is_live,
  });
}
