import type { Price } from "../../gen/tripe/billing/v1/product_pb.ts";
import type { CreatePriceRequest, UpdatePriceRequest } from "../../gen/tripe/writer/v1/products_pb.ts";
import { nullIfEmpty } from "../_database/rows/fields.ts";
import { assert } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { changed, type EventDraft, isSame, told } from "./event-drafts.ts";
import { applyMask } from "./masks.ts";
import { patchMetadata } from "./metadata.ts";
import { type Effect, once } from "./once.ts";
import { claimLookupKey, insertPrice, lockPrice } from "./price-rows.ts";
import { insertProduct, lockProduct } from "./products.ts";
import { nounOf, snapshotOf } from "./snapshots.ts";

const UPDATE = {
  name: "update_price",
  text: `update price set nickname = $3, is_active = $4, lookup_key = $5, metadata = $6
    where account_id = $1 and price_id = $2`,
};

const UPDATABLE = ["nickname", "is_active", "lookup_key"];

/** Makes a price, and its product when one is given. Refuses a product that is not there, and a lookup key that is taken. */
export async function createPrice(dependencies: WriterDependencies, request: CreatePriceRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, price, product } = request;
    assert(price !== undefined, "validation requires the price");
    const productId = product?.productId ?? price.productId;
    if (product !== undefined) await insertProduct(query, accountId, product);
    const owner = await lockProduct(query, { accountId, productId });
    const loss = await insertPrice(query, {
      accountId,
      price: { ...price, productId },
      isTransferred: request.isLookupKeyTransferred,
    });
    const made = await lockPrice(query, { accountId, priceId: price.priceId });
    const ofProduct = product === undefined ? [] : [told("product.created", "product", owner)];
    return effectOf(made, [...ofProduct, ...loss, told("price.created", "price", made)]);
  });
  return { price: nounOf(answer, "price"), isReplayed };
}

/** Changes a price, never its amount. */
export async function updatePrice(dependencies: WriterDependencies, request: UpdatePriceRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, price: change } = request;
    assert(change !== undefined, "validation requires the price");
    const current = await lockPrice(query, { accountId, priceId: change.priceId });
    const next = applyMask(current, change, request.updateMask?.paths ?? [], UPDATABLE);
    next.metadata = patchMetadata(current.metadata, request.metadataPatch);
    if (isSame("price", current, next)) return effectOf(current, []);
    const { isLookupKeyTransferred: isTransferred } = request;
    const isKeyKept = next.lookupKey === current.lookupKey;
    const loss = isKeyKept ? [] : await claimLookupKey(query, { accountId, price: next, isTransferred });
    const { priceId, nickname, isActive, lookupKey, metadata } = next;
    await query(UPDATE, [accountId, priceId, nickname, isActive, nullIfEmpty(lookupKey), JSON.stringify(metadata)]);
    return effectOf(next, [...loss, ...changed("price.updated", "price", { before: current, after: next })]);
  });
  return { price: nounOf(answer, "price"), isReplayed };
}

function effectOf(price: Price, events: readonly EventDraft[]): Effect {
  return { answer: snapshotOf("price", price), nounId: price.priceId, events };
}
