import type Stripe from "stripe";
import { amountOf, currencyOf, textOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What a line of an invoice and an invoice item have in common. A unit amount is absent where only an amount is known. */
export interface Priced {
  readonly amountMinor: bigint;
  readonly priceId: string;
  readonly productId: string;
  readonly quantity: bigint;
  readonly unitAmountMinor?: bigint | undefined;
}

/** Shows what a unit costs and by which price. One unit of a bare amount costs that amount. */
export function pricingView(priced: Priced): Wire<Stripe.InvoiceLineItem.Pricing> {
  const { priceId, productId } = priced;
  const unitMinor = unitMinorOf(priced);
  return {
    ...(priceId === "" ? {} : { price_details: { price: priceId, product: productId } }),
    type: "price_details",
    unit_amount_decimal: unitMinor === undefined ? null : String(unitMinor),
  };
}

/** What a line knows of its price; older versions had the whole price here, and programs read its id and product. */
export type OlderPriceView = Pick<
  Wire<Stripe.Price>,
  "id" | "object" | "billing_scheme" | "currency" | "livemode" | "product" | "unit_amount" | "unit_amount_decimal"
>;

/** What a line knows of its plan; older versions had the whole plan here. */
export type OlderPlanView = Pick<
  Wire<Stripe.Plan>,
  "id" | "object" | "amount" | "amount_decimal" | "billing_scheme" | "currency" | "livemode" | "product" | "usage_type"
>;

/** Where a price stands: its currency and whether its account is live are told by what it stands in. */
export interface PricedPlace {
  readonly currencyCode: string;
  readonly isLive: boolean;
}

/** Shows the price of a line as far as the line knows it; null for a bare amount. */
export function olderPriceView(priced: Priced, { currencyCode, isLive }: PricedPlace): OlderPriceView | null {
  if (priced.priceId === "") return null;
  const unitMinor = priced.unitAmountMinor;
  return {
    id: priced.priceId,
    object: "price",
    billing_scheme: "per_unit",
    currency: currencyOf(currencyCode),
    livemode: isLive,
    product: priced.productId,
    unit_amount: unitMinor === undefined ? null : amountOf(unitMinor),
    unit_amount_decimal: unitMinor === undefined ? null : String(unitMinor),
  };
}

/** Shows the price of a subscription's line as the plan that older versions called it; null for a bare amount. */
export function olderPlanView(priced: Priced, { currencyCode, isLive }: PricedPlace): OlderPlanView | null {
  if (priced.priceId === "") return null;
  const unitMinor = priced.unitAmountMinor;
  return {
    id: priced.priceId,
    object: "plan",
    amount: unitMinor === undefined ? null : amountOf(unitMinor),
    amount_decimal: unitMinor === undefined ? null : String(unitMinor),
    billing_scheme: "per_unit",
    currency: currencyOf(currencyCode),
    livemode: isLive,
    product: textOrNull(priced.productId),
    usage_type: "licensed",
  };
}

function unitMinorOf({ amountMinor, priceId, quantity, unitAmountMinor }: Priced): bigint | undefined {
  if (unitAmountMinor !== undefined) return unitAmountMinor;
  return priceId === "" && quantity === 1n ? amountMinor : undefined;
}
