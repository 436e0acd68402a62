import type Stripe from "stripe";
import { expect, test } from "vitest";
import { failureOf } from "./testing/failure.ts";
import { startBench } from "./testing/tripe.ts";

const bench = await startBench();
const stripe = await bench.stripe();

const gold = await stripe.prices.create({
  currency: "usd",
  unit_amount: 1_000,
  recurring: { interval: "month" },
  product_data: { name: "Gold" },
});

async function customerWith(source = "tok_visa") {
  return (await stripe.customers.create({ email: "ann@example.com", name: "Ann", source })).id;
}

const refusals: readonly [string, (customer: string) => object, object][] = [
  ["no such customer", () => ({ customer: "cus_none" }), { code: "resource_missing", param: "customer" }],
  ["no items", () => ({ items: undefined }), { code: "parameter_missing", param: "items" }],
  ["an item without a price", () => ({ items: [{ quantity: 1 }] }), { param: "items[0][price]" }],
  [
    "no such price",
    () => ({ items: [{ price: gold.id }, { price: "price_none" }] }),
    { code: "resource_missing", param: "items[1][price]", message: "No such price: 'price_none'" },
  ],
  [
    "no such product of a new price",
    () => ({
      items: [
        { price_data: { currency: "usd", product: "prod_none", unit_amount: 1_000, recurring: { interval: "month" } } },
      ],
    }),
    { code: "resource_missing", param: "items[0][price_data][product]" },
  ],
  [
    "a new price that does not repeat",
    () => ({ items: [{ price_data: { currency: "usd", product: "prod_none", unit_amount: 1 } }] }),
    { code: "parameter_missing", param: "items[0][price_data][recurring]" },
  ],
  [
    "another currency",
    () => ({ currency: "eur" }),
    { param: "items[0][price]", message: expect.stringContaining("expected currency: `eur`") },
  ],
  [
    "both a trial's end and its days",
    () => ({ trial_end: 2_000_000_000, trial_period_days: 3 }),
    { param: "trial_end" },
  ],
  ["a trial that is over", () => ({ trial_end: 1_000_000_000 }), { param: "trial_end" }],
  ["a trial that never ends", () => ({ trial_end: 99_999_999_999 }), { param: "trial_end" }],
  ["a trial of another form", () => ({ trial_end: "soon" }), { param: "trial_end" }],
  ["no such payment method", () => ({ default_payment_method: "pm_none" }), { param: "default_payment_method" }],
  [
    "more than one charge may be",
    () => ({ items: [{ price: gold.id, quantity: 999_999 }] }),
    { code: "amount_too_large" },
  ],
  ["what Tripe does not do", () => ({ coupon: "x" }), { code: "parameter_unknown", param: "coupon" }],
  [
    "a payment that would be confirmed",
    () => ({ payment_behavior: "pending_if_incomplete" }),
    { param: "payment_behavior" },
  ],
];

test.each(refusals)("a subscription is refused for %s, and nothing is made", async (_, change, expected) => {
  const customer = await customerWith();
  const ask = { customer, items: [{ price: gold.id }], ...change(customer) } as Stripe.SubscriptionCreateParams;
  expect(await failureOf(stripe.subscriptions.create(ask))).toMatchObject({ statusCode: 400, ...expected });
  expect((await stripe.subscriptions.list({ customer, status: "all" })).data).toEqual([]);
});

test("a subscription needs prices that repeat at one time and in one currency", async () => {
  const customer = await customerWith();
  const { product } = gold;
  const make = (terms: object) =>
    stripe.prices.create({ currency: "usd", unit_amount: 1, product: String(product), ...terms });
  const once = await make({});
  const yearly = await make({ recurring: { interval: "year" } });
  const euros = await make({ currency: "eur", recurring: { interval: "month" } });
  for (const [price, words] of [
    [once, "one_time"],
    [yearly, "interval"],
    [euros, "currency"],
  ] as const) {
    const refused = stripe.subscriptions.create({ customer, items: [{ price: gold.id }, { price: price.id }] });
    const failure = await failureOf(refused);
    expect(failure).toMatchObject({ statusCode: 400, param: "items[1][price]" });
    expect(failure.message).toContain(words);
  }
});

test("a customer with nothing to charge is refused as Stripe does, and another's card is", async () => {
  const customer = (await stripe.customers.create({})).id;
  const ask = { customer, items: [{ price: gold.id }] };
  expect(await failureOf(stripe.subscriptions.create(ask))).toMatchObject({
    statusCode: 400,
    code: "resource_missing",
    message: expect.stringContaining("This customer has no attached payment source or default payment method."),
  });
  const other = await stripe.paymentMethods.attach("pm_card_visa", { customer: await customerWith() });
  const foreign = stripe.subscriptions.create({ ...ask, default_payment_method: other.id });
  expect(await failureOf(foreign)).toMatchObject({ statusCode: 400, param: "default_payment_method" });
  const own = await stripe.paymentMethods.attach("pm_card_visa", { customer });
  const made = await stripe.subscriptions.create({
    ...ask,
    default_payment_method: own.id,
    expand: ["default_payment_method"],
  });
  expect(made).toMatchObject({ status: "active", default_payment_method: { id: own.id, object: "payment_method" } });
});
