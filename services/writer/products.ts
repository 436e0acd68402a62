import { Code } from "@connectrpc/connect";
import type { Product } from "../../gen/tripe/billing/v1/product_pb.ts";
import type { CreateProductRequest, UpdateProductRequest } from "../../gen/tripe/writer/v1/products_pb.ts";
import type { Query } from "../_database/connect.ts";
import { nullIfEmpty } from "../_database/rows/fields.ts";
import { type ProductRow, productColumns, productOf } from "../_database/rows/product.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { changed, type EventDraft, isSame, told } from "./event-drafts.ts";
import { applyMask } from "./masks.ts";
import { patchMetadata } from "./metadata.ts";
import { type Effect, once } from "./once.ts";
import { insertPrice, lockPrice } from "./price-rows.ts";
import { nounOf, snapshotOf } from "./snapshots.ts";

const INSERT = {
  name: "insert_product",
  text: `insert into product (account_id, product_id, name, description, is_active, metadata, create_time, update_time)
    values ($1, $2, $3, $4, $5, $6, business_now($1), business_now($1)) on conflict do nothing returning product_id`,
};

const LOCK = {
  name: "lock_product",
  text: `select ${productColumns} from product d join account a using (account_id)
    where d.account_id = $1 and d.product_id = $2 for no key update of d`,
};

const UPDATE = {
  name: "update_product",
  text: `update product set name = $3, description = $4, is_active = $5, metadata = $6, default_price_id = $7,
      update_time = business_now($1)
    where account_id = $1 and product_id = $2`,
};

const UPDATABLE = ["name", "description", "is_active", "default_price_id"];

/** Makes a product, and its default price when one is given. Refuses PRODUCT_EXISTS an id that is taken. */
export async function createProduct(dependencies: WriterDependencies, request: CreateProductRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, product, defaultPrice } = request;
    assert(product !== undefined, "validation requires the product");
    await insertProduct(query, accountId, product);
    const key = { accountId, productId: product.productId };
    const events: EventDraft[] = [];
    if (defaultPrice !== undefined) {
      const price = { ...defaultPrice, productId: product.productId };
      await insertPrice(query, { accountId, price, isTransferred: false });
      await query(UPDATE, valuesOf(accountId, { ...product, defaultPriceId: defaultPrice.priceId }));
      const { priceId } = defaultPrice;
      events.push(told("price.created", "price", await lockPrice(query, { accountId, priceId })));
    }
    const made = await lockProduct(query, key);
    return effectOf(made, [told("product.created", "product", made), ...events]);
  });
  return { product: nounOf(answer, "product"), isReplayed };
}

/** Changes a product. Refuses PRODUCT_NOT_FOUND, and a default price that is not the product's (PRICE_NOT_FOUND). */
export async function updateProduct(dependencies: WriterDependencies, request: UpdateProductRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, product: change } = request;
    assert(change !== undefined, "validation requires the product");
    const key = { accountId, productId: change.productId };
    const current = await lockProduct(query, key);
    const next = applyMask(current, change, request.updateMask?.paths ?? [], UPDATABLE);
    next.metadata = patchMetadata(current.metadata, request.metadataPatch);
    if (next.defaultPriceId !== "" && next.defaultPriceId !== current.defaultPriceId) {
      const price = await lockPrice(query, { accountId, priceId: next.defaultPriceId });
      if (price.productId !== change.productId) {
        refuse(Code.NotFound, "PRICE_NOT_FOUND", `the product has no price ${price.priceId}`, "default_price_id");
      }
    }
    if (isSame("product", current, next)) return effectOf(current, []);
    await query(UPDATE, valuesOf(accountId, next));
    const after = await lockProduct(query, key);
    return effectOf(after, changed("product.updated", "product", { before: current, after }));
  });
  return { product: nounOf(answer, "product"), isReplayed };
}

/** Inserts a product. Refuses with ALREADY_EXISTS, reason PRODUCT_EXISTS, an id that is taken. */
export async function insertProduct(query: Query, accountId: string, product: Product): Promise<void> {
  const { productId, name, description, isActive, metadata } = product;
  const rows = await query(INSERT, [accountId, productId, name, description, isActive, JSON.stringify(metadata)]);
  if (rows.length === 0) refuse(Code.AlreadyExists, "PRODUCT_EXISTS", `there is a product ${productId}`, "product_id");
}

/** Reads a product and holds it until the transaction ends. Refuses with NOT_FOUND, reason PRODUCT_NOT_FOUND. */
export async function lockProduct(query: Query, key: { accountId: string; productId: string }): Promise<Product> {
  const [row] = await query<ProductRow>(LOCK, [key.accountId, key.productId]);
  if (row === undefined) refuse(Code.NotFound, "PRODUCT_NOT_FOUND", `no product ${key.productId}`, "product_id");
  return productOf(row);
}

function valuesOf(accountId: string, product: Product): unknown[] {
  const { productId, name, description, isActive, metadata, defaultPriceId } = product;
  return [accountId, productId, name, description, isActive, JSON.stringify(metadata), nullIfEmpty(defaultPriceId)];
}

function effectOf(product: Product, events: readonly EventDraft[]): Effect {
  return { answer: snapshotOf("product", product), nounId: product.productId, events };
}
