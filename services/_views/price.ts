import type Stripe from "stripe";
import { IntervalUnit, type Price, type Product, type Recurrence } from "../../gen/tripe/billing/v1/product_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { expandableOf } from "./expandable.ts";
import { productView } from "./product.ts";
import { amountOf, currencyOf, metadataOf, secondsOf, textOrNull, wordOf } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What of a price was asked to be shown whole. */
export interface PriceExpansions {
  readonly product?: Product | undefined;
}

/** Shows a price. Every price of Tripe is a fixed amount per unit, and says nothing of taxes. */
export function priceView(price: Price, expansions: PriceExpansions = {}): Wire<Stripe.Price> {
  const { unitAmount, recurrence } = price;
  assert(unitAmount !== undefined, "a price has an amount");
  return {
    id: price.priceId,
    object: "price",
    active: price.isActive,
    billing_scheme: "per_unit",
    created: secondsOf(price.createTime),
    currency: currencyOf(unitAmount.currencyCode),
    custom_unit_amount: null,
    livemode: price.isLive,
    lookup_key: textOrNull(price.lookupKey),
    metadata: metadataOf(price.metadata),
    nickname: textOrNull(price.nickname),
    product: expandableOf(price.productId, expansions.product, productView),
    recurring: recurrence === undefined ? null : recurringView(recurrence, price.trialPeriodDays),
    tax_behavior: "unspecified",
    tiers_mode: null,
    transform_quantity: null,
    type: recurrence === undefined ? "one_time" : "recurring",
    unit_amount: amountOf(unitAmount.amountMinor),
    unit_amount_decimal: String(unitAmount.amountMinor),
  };
}

/** Shows a price that repeats as a "plan", which is what older versions called it. Stops at one that does not repeat. */
export function planView(price: Price): Wire<Stripe.Plan> {
  const { unitAmount, recurrence } = price;
  assert(unitAmount !== undefined, "a price has an amount");
  assert(recurrence !== undefined, "a plan repeats");
  return {
    id: price.priceId,
    object: "plan",
    active: price.isActive,
    amount: amountOf(unitAmount.amountMinor),
    amount_decimal: String(unitAmount.amountMinor),
    billing_scheme: "per_unit",
    created: secondsOf(price.createTime),
    currency: currencyOf(unitAmount.currencyCode),
    interval: wordOf(intervals, recurrence.unit),
    interval_count: recurrence.count,
    livemode: price.isLive,
    metadata: metadataOf(price.metadata),
    meter: null,
    nickname: textOrNull(price.nickname),
    product: textOrNull(price.productId),
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: daysOrNull(price.trialPeriodDays),
    usage_type: "licensed",
  };
}

const intervals = {
  [IntervalUnit.DAY]: "day",
  [IntervalUnit.WEEK]: "week",
  [IntervalUnit.MONTH]: "month",
  [IntervalUnit.YEAR]: "year",
} as const;

function recurringView({ unit, count }: Recurrence, trialPeriodDays: number): Wire<Stripe.Price.Recurring> {
  return {
    interval: wordOf(intervals, unit),
    interval_count: count,
    meter: null,
    trial_period_days: daysOrNull(trialPeriodDays),
    usage_type: "licensed",
  };
}

function daysOrNull(days: number): number | null {
  return days === 0 ? null : days;
}
