import { expect, test } from "vitest";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { createBillingSteps } from "./testing-billing.ts";
import { refusal } from "./testing-steps.ts";

const { accountId, liveAccountId, setup: steps, rows } = await startTestWriter();

function setup() {
  const { writer } = steps();
  return { writer, ...createBillingSteps(writer, accountId), theirs: createBillingSteps(writer, liveAccountId) };
}

const product = (change = {}) => ({ productId: createId("prod_"), name: "Gold", isActive: true, ...change });
const price = (change = {}) => ({
  priceId: createId("price_"),
  unitAmount: { amountMinor: 1000n, currencyCode: "USD" },
  isActive: true,
  ...change,
});
const typesOf = async (objectId: string) =>
  (await rows<{ type: string }>("select type from event where object_id = $1 order by event_id", objectId)).map(
    ({ type }) => type,
  );

test("createProduct makes the product with its default price, tells of both, and answers a replay alike", async () => {
  const { writer, key } = setup();
  const request = { ...key(), product: product(), defaultPrice: price() };
  const made = await writer.createProduct(request);
  expect(made.product).toMatchObject({ name: "Gold", defaultPriceId: request.defaultPrice.priceId });
  expect(await writer.createProduct(request)).toEqual({ ...made, isReplayed: true });
  expect(await typesOf(request.product.productId)).toEqual(["product.created"]);
  expect(await typesOf(request.defaultPrice.priceId)).toEqual(["price.created"]);
  const again = await refusal(writer.createProduct({ ...key(), product: request.product }));
  expect(again?.reason).toBe("PRODUCT_EXISTS");
});

test("updateProduct changes what its mask names, and only to a price of its own", async () => {
  const { writer, key, createPrice } = setup();
  const { productId, priceId } = await createPrice();
  const change = { productId, name: "Silver", description: "not asked for", defaultPriceId: priceId };
  const paths = ["name", "default_price_id"];
  const { product: changed } = await writer.updateProduct({ ...key(), product: change, updateMask: { paths } });
  expect(changed).toMatchObject({ name: "Silver", description: "", defaultPriceId: priceId });
  const update = (defaultPriceId: string) =>
    writer.updateProduct({
      ...key(),
      product: { productId, defaultPriceId },
      updateMask: { paths: ["default_price_id"] },
    });
  const other = await createPrice();
  expect((await refusal(update(other.priceId)))?.reason).toBe("PRICE_NOT_FOUND");
  expect((await refusal(update("price_none")))?.reason).toBe("PRICE_NOT_FOUND");
});

test("another account's product and price are not there", async () => {
  const { writer, key, theirs } = setup();
  const { productId, priceId } = await theirs.createPrice();
  const asked = [
    writer.updateProduct({ ...key(), product: { productId }, updateMask: { paths: [] } }),
    writer.createPrice({ ...key(), price: price({ productId }) }),
    writer.updatePrice({ ...key(), price: { priceId }, updateMask: { paths: [] } }),
  ];
  const refused = await Promise.all(asked.map(refusal));
  expect(refused.map((one) => one?.reason)).toEqual(["PRODUCT_NOT_FOUND", "PRODUCT_NOT_FOUND", "PRICE_NOT_FOUND"]);
});

test("a lookup key is one price's, until it is transferred", async () => {
  const { writer, key, createPrice } = setup();
  const lookupKey = createId("key");
  const first = await createPrice({ lookupKey });
  const second = await createPrice();
  const claim = (isLookupKeyTransferred: boolean) =>
    writer.updatePrice({
      ...key(),
      price: { priceId: second.priceId, lookupKey },
      updateMask: { paths: ["lookup_key"] },
      isLookupKeyTransferred,
    });
  expect((await refusal(claim(false)))?.reason).toBe("LOOKUP_KEY_TAKEN");
  expect((await claim(true)).price?.lookupKey).toBe(lookupKey);
  const kept = await rows("select lookup_key from price where price_id = $1", first.priceId);
  expect(kept).toEqual([{ lookup_key: null }]);
});

test("of ten prices that claim one lookup key at once, one gets it; transferred, the last has it", async () => {
  const { writer, key, createPrice } = setup();
  const { productId } = await createPrice();
  const claims = (lookupKey: string, isLookupKeyTransferred: boolean) =>
    Promise.all(
      Array.from({ length: 10 }, () =>
        refusal(writer.createPrice({ ...key(), price: price({ productId, lookupKey }), isLookupKeyTransferred })),
      ),
    );
  const lookupKey = createId("key");
  const refused = await claims(lookupKey, false);
  expect(refused.filter((one) => one?.reason === "LOOKUP_KEY_TAKEN")).toHaveLength(9);
  expect(await claims(lookupKey, true)).toEqual(Array.from({ length: 10 }, () => undefined));
  const having = await rows("select 1 from price where lookup_key = $1", lookupKey);
  expect(having).toHaveLength(1);
});

test("updatePrice never changes an amount", async () => {
  const { writer, key, createPrice } = setup();
  const { priceId } = await createPrice();
  const update = (paths: string[]) =>
    writer.updatePrice({
      ...key(),
      price: { priceId, nickname: "new", unitAmount: { amountMinor: 1n, currencyCode: "USD" } },
      updateMask: { paths },
      metadataPatch: { set: { tier: "1" } },
    });
  expect((await refusal(update(["unit_amount"])))?.reason).toBe("UPDATE_MASK_UNKNOWN");
  const { price: changed } = await update(["nickname"]);
  expect(changed).toMatchObject({ nickname: "new", unitAmount: { amountMinor: 1000n }, metadata: { tier: "1" } });
  expect(await typesOf(priceId)).toEqual(["price.created", "price.updated"]);
});
