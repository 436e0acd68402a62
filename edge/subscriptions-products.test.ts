import type Stripe from "stripe";
import { expect, test } from "vitest";
import { failureOf } from "./testing/failure.ts";
import { startBench } from "./testing/tripe.ts";

const bench = await startBench();
const stripe = await bench.stripe();

test("a product is made with its default price", async () => {
  const product = await stripe.products.create({
    name: "Gold Plan",
    description: "All of it",
    metadata: { k: "v" },
    default_price_data: { currency: "usd", unit_amount: 1_000, recurring: { interval: "month" } },
    expand: ["default_price"],
  });
  expect(product).toMatchObject({
    id: expect.stringMatching(/^prod_/),
    object: "product",
    active: true,
    name: "Gold Plan",
    description: "All of it",
    metadata: { k: "v" },
    default_price: {
      object: "price",
      unit_amount: 1_000,
      currency: "usd",
      type: "recurring",
      product: product.id,
      recurring: { interval: "month", interval_count: 1, trial_period_days: null },
    },
  });
  const { default_price: price } = await stripe.products.retrieve(product.id);
  expect(price).toMatch(/^price_/);
});

test("a product's own id is kept, and taken once", async () => {
  const id = "gold-2026";
  expect((await stripe.products.create({ id, name: "Gold", active: false })).id).toBe(id);
  expect(await failureOf(stripe.products.create({ id, name: "Gold" }))).toMatchObject({
    statusCode: 400,
    code: "resource_already_exists",
    param: "id",
  });
  expect(await stripe.products.retrieve(id)).toMatchObject({ id, active: false });
});

test("a product's words and its default price change; the price must be its own", async () => {
  const { id } = await stripe.products.create({ name: "a", description: "b", metadata: { k: "v" } });
  const price = await stripe.prices.create({ product: id, currency: "eur", unit_amount: 5 });
  const changed = await stripe.products.update(id, {
    name: "c",
    active: false,
    description: "",
    metadata: { k: "", l: "w" },
    default_price: price.id,
  });
  expect(changed).toMatchObject({
    name: "c",
    active: false,
    description: null,
    metadata: { l: "w" },
    default_price: price.id,
  });
  const other = await stripe.prices.create({ product_data: { name: "x" }, currency: "eur", unit_amount: 5 });
  expect(await failureOf(stripe.products.update(id, { default_price: other.id }))).toMatchObject({
    statusCode: 400,
    code: "resource_missing",
    param: "default_price",
  });
  expect(await failureOf(stripe.products.update("prod_none", { name: "x" }))).toMatchObject({
    statusCode: 404,
    message: "No such product: 'prod_none'",
  });
});

test("products are listed, the active ones apart", async () => {
  const made: string[] = [];
  for (const active of [true, false, true]) made.unshift((await stripe.products.create({ name: "p", active })).id);
  const idsOf = async (params: Stripe.ProductListParams) => {
    const { data } = await stripe.products.list({ limit: 100, ...params });
    return data.map(({ id }) => id).filter((id) => made.includes(id));
  };
  expect(await idsOf({})).toEqual(made);
  expect(await idsOf({ active: true })).toEqual([made[0], made[2]]);
  expect(await idsOf({ active: false })).toEqual([made[1]]);
});

test("a price is of a product that is there or comes with it", async () => {
  const price = await stripe.prices.create({
    currency: "jpy",
    unit_amount: 500,
    nickname: "n",
    metadata: { k: "v" },
    recurring: { interval: "week", interval_count: 2, trial_period_days: 14 },
    product_data: { name: "New", id: "own-id", metadata: { a: "b" } },
    expand: ["product"],
  });
  expect(price).toMatchObject({
    object: "price",
    active: true,
    type: "recurring",
    nickname: "n",
    metadata: { k: "v" },
    unit_amount: 500,
    recurring: { interval: "week", interval_count: 2, trial_period_days: 14 },
    product: { id: "own-id", name: "New", metadata: { a: "b" } },
  });
  const once = await stripe.prices.create({ currency: "usd", unit_amount: 0, product: "own-id" });
  expect(once).toMatchObject({ type: "one_time", recurring: null, unit_amount: 0, product: "own-id" });
  expect(await stripe.prices.retrieve(once.id)).toMatchObject({ id: once.id });
});

const refusals: readonly [string, object, object][] = [
  ["no product", { currency: "usd", unit_amount: 1 }, { code: "parameter_missing", param: "product" }],
  ["both products", { product: "a", product_data: { name: "b" } }, { param: "product" }],
  ["no such product", { product: "prod_none" }, { code: "resource_missing", param: "product" }],
  ["no amount", { unit_amount: undefined, product: "a" }, { code: "parameter_missing", param: "unit_amount" }],
  ["two amounts", { unit_amount_decimal: "1", product: "a" }, { code: "parameters_exclusive" }],
  [
    "a fraction of a minor unit",
    { unit_amount: undefined, unit_amount_decimal: "0.5", product: "a" },
    { param: "unit_amount_decimal" },
  ],
  [
    "a negative decimal",
    { unit_amount: undefined, unit_amount_decimal: "-5", product: "a" },
    { param: "unit_amount_decimal" },
  ],
  ["too much", { unit_amount: 100_000_000, product: "a" }, { param: "unit_amount" }],
  ["a currency nobody has", { currency: "xyz", product: "a" }, { param: "currency" }],
  [
    "more than three years",
    { recurring: { interval: "month", interval_count: 37 }, product: "a" },
    { param: "recurring[interval_count]" },
  ],
  ["an interval nobody has", { recurring: { interval: "hour" }, product: "a" }, { param: "recurring[interval]" }],
  ["metered usage", { recurring: { interval: "day", usage_type: "metered" }, product: "a" }, {}],
  ["tiers", { tiers_mode: "volume", product: "a" }, { code: "parameter_unknown", param: "tiers_mode" }],
];

test.each(refusals)("a price is refused for %s", async (_, change, expected) => {
  const ask = { currency: "usd", unit_amount: 1, ...change } as Stripe.PriceCreateParams;
  expect(await failureOf(stripe.prices.create(ask))).toMatchObject({ statusCode: 400, ...expected });
});

test("a decimal amount that is whole is one", async () => {
  for (const decimal of ["1000", "1000.00"]) {
    const params = { currency: "usd", unit_amount_decimal: decimal, "product_data[name]": "d" };
    const { status, body } = await bench.ask({
      method: "POST",
      url: "/v1/prices",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      payload: new URLSearchParams(params).toString(),
    });
    expect([status, body["unit_amount"], body["unit_amount_decimal"]]).toEqual([200, 1_000, "1000"]);
  }
});

test("a lookup key is one price's, until it moves to another", async () => {
  const ask = { currency: "usd", unit_amount: 1, product_data: { name: "k" }, lookup_key: "gold" };
  const first = await stripe.prices.create(ask);
  expect(await failureOf(stripe.prices.create(ask))).toMatchObject({ statusCode: 400, param: "lookup_key" });
  const second = await stripe.prices.create({ ...ask, transfer_lookup_key: true });
  expect((await stripe.prices.retrieve(first.id)).lookup_key).toBeNull();
  expect((await stripe.prices.list({ lookup_keys: ["gold", "none"] })).data).toMatchObject([{ id: second.id }]);
  const back = await stripe.prices.update(first.id, { lookup_key: "gold", transfer_lookup_key: true });
  expect(back.lookup_key).toBe("gold");
  expect((await stripe.prices.update(first.id, { lookup_key: "" })).lookup_key).toBeNull();
});

test("a price's words change, its amount never", async () => {
  const { id } = await stripe.prices.create({ currency: "usd", unit_amount: 1, product_data: { name: "u" } });
  const changed = await stripe.prices.update(id, { active: false, nickname: "n", metadata: { k: "v" } });
  expect(changed).toMatchObject({ active: false, nickname: "n", metadata: { k: "v" }, unit_amount: 1 });
  const { status, body } = await bench.ask({ method: "POST", url: `/v1/prices/${id}`, payload: { unit_amount: 2 } });
  expect([status, body.error?.["param"]]).toEqual([400, "unit_amount"]);
  expect(await failureOf(stripe.prices.update("price_none", { active: false }))).toMatchObject({ statusCode: 404 });
});

test("prices are listed by product, currency, type and whether they are active", async () => {
  const product = (await stripe.products.create({ name: "many" })).id;
  const base = { product, currency: "usd", unit_amount: 1 };
  const euros = await stripe.prices.create({ ...base, currency: "eur" });
  const idle = await stripe.prices.create({ ...base, active: false });
  const monthly = await stripe.prices.create({ ...base, recurring: { interval: "month" } });
  const idsOf = async (params: Stripe.PriceListParams) =>
    (await stripe.prices.list({ product, ...params })).data.map(({ id }) => id);
  expect(await idsOf({})).toEqual([monthly.id, idle.id, euros.id]);
  expect(await idsOf({ currency: "eur" })).toEqual([euros.id]);
  expect(await idsOf({ active: false })).toEqual([idle.id]);
  expect(await idsOf({ type: "recurring" })).toEqual([monthly.id]);
  expect(await idsOf({ type: "one_time", active: true })).toEqual([euros.id]);
  const [shown] = (await stripe.prices.list({ product, limit: 1, expand: ["data.product"] })).data;
  expect(shown?.product).toMatchObject({ id: product, name: "many" });
  expect(await failureOf(stripe.prices.list({ product: "prod_none" }))).toMatchObject({ param: "product" });
});
