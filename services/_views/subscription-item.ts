import type Stripe from "stripe";
import type { Product } from "../../gen/tripe/billing/v1/product_pb.ts";
import type { Subscription, SubscriptionItem } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { planView, priceView } from "./price.ts";
import { amountOf, metadataOf, secondsOf } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What of a subscription's item was asked to be shown whole; its price always is. */
export interface SubscriptionItemExpansions {
  readonly "price.product"?: Product | undefined;
}

/** Shows an item of the given subscription. All items of a subscription have its period. */
export function subscriptionItemView(
  item: SubscriptionItem,
  subscription: Subscription,
  expansions: SubscriptionItemExpansions = {},
): Wire<Stripe.SubscriptionItem> {
  const { price } = item;
  assert(price !== undefined, "an item of a subscription has a price");
  return {
    id: item.subscriptionItemId,
    object: "subscription_item",
    billing_thresholds: null,
    created: secondsOf(item.createTime),
    current_period_end: secondsOf(subscription.periodEndTime),
    current_period_start: secondsOf(subscription.periodStartTime),
    current_trial: null,
    discounts: [],
    metadata: metadataOf(item.metadata),
    plan: planView(price),
    price: priceView(price, { product: expansions["price.product"] }),
    quantity: amountOf(item.quantity),
    subscription: subscription.subscriptionId,
    tax_rates: [],
  };
}
