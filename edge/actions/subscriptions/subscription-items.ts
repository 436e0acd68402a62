import { create } from "@bufbuild/protobuf";
import type { Static } from "typebox";
import { type Price, PriceSchema, type Recurrence } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { group, id, integer, list, metadata, optional } from "../../decode/fields.ts";
import { parameterMissing, parametersExclusive } from "../../parameter-problems.ts";
import { currencyInvalid } from "../../problems.ts";
import { found } from "../../reads.ts";
import { toProblem } from "../../refusals.ts";
import type { PublicRequest } from "../../route.ts";
import {
  priceCurrencyMismatch,
  priceInactive,
  priceIntervalMismatch,
  priceNotRecurring,
  priceTwice,
} from "../../subscription-problems.ts";
import { priceTerms, readPriceTerms, recurring } from "./price-params.ts";

/** Stripe's: a subscription has at most so many items, and the contracts say the same. */
export const ITEMS_MAX = 20;

/** What a new subscription is of. */
export const items = list(
  group({
    price: optional(id),
    price_data: optional(group({ ...priceTerms, product: id, recurring })),
    quantity: optional(integer({ minimum: 0, maximum: 999_999 })),
    metadata,
  }),
  ITEMS_MAX,
  1,
);

type ItemParams = Static<typeof items>[number];

/** Reads the price of every item, side by side; one that comes with its item is drafted, not made. Throws a Problem. */
export async function readPrices(request: PublicRequest, given: readonly ItemParams[]): Promise<Price[]> {
  return Promise.all(given.map((item, index) => readPrice(request, item, index)));
}

async function readPrice({ accountId, clients, createId }: PublicRequest, item: ItemParams, index: number) {
  const { price: priceId, price_data: terms } = item;
  const param = `items[${index}][price]`;
  if (priceId !== undefined && terms !== undefined) throw parametersExclusive(param, `items[${index}][price_data]`);
  if (terms !== undefined) {
    const drafted = readPriceTerms(terms, `items[${index}][price_data]`);
    // Stripe's: a price that came with a subscription is that subscription's, and cannot be sold anew.
    return create(PriceSchema, { ...drafted, priceId: createId("price_"), productId: terms.product, isActive: false });
  }
  if (priceId === undefined) throw parameterMissing(param);
  try {
    const { price } = await clients.reader.getPrice({ accountId, priceId });
    return found(price);
  } catch (error) {
    // Of many prices only this place knows which one the client named wrong.
    throw toProblem(error, { price: { id: priceId, param } });
  }
}

/** Says whether these prices can be one subscription: all repeat, at one time and in one currency, each once. Throws a Problem. */
export function judgePrices(
  prices: readonly Price[],
  { items: given, currency }: { items: readonly ItemParams[]; currency?: string },
): { currencyCode: string; recurrence: Recurrence } {
  const [first] = prices;
  const currencyCode = currency?.toUpperCase() ?? first?.unitAmount?.currencyCode;
  const recurrence = first?.recurrence;
  const seen = new Set<string>();
  prices.forEach((price, index) => {
    const isNew = given[index]?.price_data !== undefined;
    const param = `items[${index}][${isNew ? "price_data" : "price"}]`;
    if (!price.isActive && !isNew) throw priceInactive(param);
    if (price.recurrence === undefined) throw priceNotRecurring(param);
    const own = price.unitAmount?.currencyCode;
    if (own !== currencyCode) {
      throw priceCurrencyMismatch({ param, currency: lower(own), expected: lower(currencyCode) });
    }
    if (seen.has(price.priceId)) throw priceTwice(price.priceId, param);
    seen.add(price.priceId);
    const { unit, count } = price.recurrence;
    if (unit !== recurrence?.unit || count !== recurrence.count) throw priceIntervalMismatch(param);
  });
  if (currencyCode === undefined) throw currencyInvalid("");
  return { currencyCode, recurrence: found(recurrence) };
}

function lower(currencyCode = ""): string {
  return currencyCode.toLowerCase();
}

/** Makes the prices that came with their items, as the action's first writes (K/1, K/2, …); the others stay. */
export async function createNewPrices(
  { accountId, clients, identity }: PublicRequest,
  { items: given, prices }: { items: readonly ItemParams[]; prices: readonly Price[] },
): Promise<Price[]> {
  return Promise.all(
    prices.map(async (drafted, index) => {
      const terms = given[index]?.price_data;
      if (terms === undefined) return drafted;
      const requestId = identity.step(index + 1);
      try {
        const key = { accountId, requestId, requestDigest: identity.digest };
        const { price } = await clients.writer.createPrice({ ...key, price: drafted });
        return found(price);
      } catch (error) {
        const param = `items[${index}][price_data][product]`;
        throw toProblem(error, { product: { id: terms.product, param } });
      }
    }),
  );
}
