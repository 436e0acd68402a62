import Stripe from "stripe";
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

test("a subscription's first invoice is paid in the request that makes it", async () => {
  const customer = await customerWith();
  const made = await stripe.subscriptions.create({
    customer,
    items: [{ price: gold.id, quantity: 2, metadata: { seat: "a" } }],
    description: "Two seats",
    metadata: { order: "6735" },
    expand: ["latest_invoice", "customer", "items.data.price.product", "latest_invoice.charge"],
  });
  const [item] = made.items.data;
  const start = made.billing_cycle_anchor;
  expect(made).toMatchObject({
    object: "subscription",
    status: "active",
    currency: "usd",
    collection_method: "charge_automatically",
    description: "Two seats",
    metadata: { order: "6735" },
    customer: { id: customer, object: "customer" },
    latest_invoice: {
      object: "invoice",
      status: "paid",
      amount_due: 2_000,
      amount_paid: 2_000,
      amount_remaining: 0,
      billing_reason: "subscription_create",
      number: expect.stringMatching(/-0001$/),
      charge: { object: "charge", status: "succeeded", amount: 2_000 },
      lines: { data: [{ description: "2 × Gold (at $10.00 / month)", amount: 2_000, quantity: 2 }] },
    },
    trial_end: null,
  });
  expect(item).toMatchObject({
    quantity: 2,
    metadata: { seat: "a" },
    price: { id: gold.id, product: { name: "Gold", object: "product" } },
    current_period_start: start,
  });
  const end = new Date(start * 1_000);
  const days = (Number(item?.current_period_end) - start) / 86_400;
  expect(days).toBeGreaterThanOrEqual(28);
  expect(days).toBeLessThanOrEqual(31);
  expect(new Date(Number(item?.current_period_end) * 1_000).getUTCHours()).toBe(end.getUTCHours());
  const { customer: id, latest_invoice, ...rest } = await stripe.subscriptions.retrieve(made.id);
  expect([id, typeof latest_invoice, rest.status]).toEqual([customer, "string", "active"]);
});

test("several prices are one invoice, and one that comes with its item is made with it, not to be sold anew", async () => {
  const customer = await customerWith();
  const product = await stripe.products.create({ name: "Storage" });
  const made = await stripe.subscriptions.create({
    customer,
    items: [
      { price: gold.id },
      {
        price_data: { currency: "usd", product: product.id, unit_amount: 250, recurring: { interval: "month" } },
        quantity: 4,
      },
    ],
    expand: ["latest_invoice"],
  });
  expect(made.latest_invoice).toMatchObject({
    total: 2_000,
    lines: {
      data: [
        { description: "1 × Gold (at $10.00 / month)", amount: 1_000 },
        { description: "4 × Storage (at $2.50 / month)", amount: 1_000 },
      ],
    },
  });
  const { data } = await stripe.prices.list({ product: product.id });
  expect(data).toMatchObject([{ active: false, unit_amount: 250 }]);
  const again = stripe.subscriptions.create({ customer, items: [{ price: String(data[0]?.id) }] });
  expect(await failureOf(again)).toMatchObject({
    statusCode: 400,
    param: "items[0][price]",
    message: expect.stringContaining("inactive"),
  });
});

test("a trial costs nothing, and its end is what all periods are counted from", async () => {
  const customer = (await stripe.customers.create({})).id;
  const made = await stripe.subscriptions.create({
    customer,
    items: [{ price: gold.id }],
    trial_period_days: 7,
    expand: ["latest_invoice"],
  });
  expect(made).toMatchObject({
    status: "trialing",
    billing_cycle_anchor: made.trial_end,
    latest_invoice: {
      status: "paid",
      total: 0,
      lines: { data: [{ description: "Trial period for Gold", amount: 0 }] },
    },
  });
  expect(Number(made.trial_end) - Number(made.trial_start)).toBe(7 * 86_400);
  expect(made.items.data[0]?.current_period_end).toBe(made.trial_end);
  const end = Number(made.trial_start) + 3_600;
  const until = await stripe.subscriptions.create({ customer, items: [{ price: gold.id }], trial_end: end });
  expect([until.status, until.trial_end]).toEqual(["trialing", end]);
});

test("a price's own trial counts when it is asked for, and trial_end=now is none", async () => {
  const customer = await customerWith();
  const price = await stripe.prices.create({
    currency: "usd",
    unit_amount: 900,
    recurring: { interval: "week", trial_period_days: 3 },
    product_data: { name: "Tried" },
  });
  const ask = { customer, items: [{ price: price.id }] };
  expect((await stripe.subscriptions.create(ask)).status).toBe("active");
  expect((await stripe.subscriptions.create({ ...ask, trial_from_plan: true })).status).toBe("trialing");
  expect((await stripe.subscriptions.create({ ...ask, trial_end: "now" })).status).toBe("active");
});

test("a declined card leaves an incomplete subscription, or none with error_if_incomplete", async () => {
  const customer = await customerWith("tok_chargeCustomerFail");
  const ask = { customer, items: [{ price: gold.id }] };
  const left = await stripe.subscriptions.create({ ...ask, expand: ["latest_invoice"] });
  expect(left).toMatchObject({ status: "incomplete", latest_invoice: { status: "open", attempt_count: 1 } });
  const failure = await failureOf(stripe.subscriptions.create({ ...ask, payment_behavior: "error_if_incomplete" }));
  expect(failure).toBeInstanceOf(Stripe.errors.StripeCardError);
  expect(failure).toMatchObject({ statusCode: 402, code: "card_declined", charge: expect.stringMatching(/^ch_/) });
  const kept = await stripe.subscriptions.list({ customer, status: "all" });
  expect(kept.data.map(({ id }) => id)).toEqual([left.id]);
  const invoices = await stripe.invoices.list({ customer });
  expect(invoices.data.map(({ id }) => id)).toEqual([(left.latest_invoice as Stripe.Invoice).id]);
  const [charge] = (await stripe.charges.list({ customer, limit: 1 })).data;
  expect(charge).toMatchObject({ id: failure.charge, status: "failed", invoice: null });
  const events = await stripe.events.list({ limit: 1 });
  expect(events.data).toMatchObject([{ type: "charge.failed", data: { object: { id: failure.charge } } }]);
});

test("a bank that does not answer leaves an incomplete subscription", async () => {
  const customer = await customerWith();
  bench.failNext({ kind: "malformed", lateMs: 0 });
  const made = await stripe.subscriptions.create({
    customer,
    items: [{ price: gold.id }],
    expand: ["latest_invoice.charge"],
  });
  expect(made).toMatchObject({ status: "incomplete", latest_invoice: { charge: { status: "pending" } } });
});

test("default_incomplete charges nobody, needs no card, and answers what old programs ask for", async () => {
  const customer = (await stripe.customers.create({})).id;
  const made = await stripe.subscriptions.create({
    customer,
    items: [{ price: gold.id }],
    payment_behavior: "default_incomplete",
    payment_settings: { save_default_payment_method: "on_subscription" },
    expand: ["latest_invoice.confirmation_secret", "pending_setup_intent"],
  });
  expect(made).toMatchObject({
    status: "incomplete",
    latest_invoice: { status: "open", attempt_count: 0, auto_advance: false, next_payment_attempt: null },
  });
});

test("a subscription that is mailed its invoices is active at once, and they are due in days", async () => {
  const customer = (await stripe.customers.create({ email: "bob@example.com" })).id;
  const ask = { customer, items: [{ price: gold.id }], collection_method: "send_invoice" as const };
  const made = await stripe.subscriptions.create({ ...ask, days_until_due: 14, expand: ["latest_invoice"] });
  expect(made).toMatchObject({ status: "active", days_until_due: 14, latest_invoice: { status: "open" } });
  expect(await failureOf(stripe.subscriptions.create(ask))).toMatchObject({ param: "days_until_due" });
  const automatic = stripe.subscriptions.create({ customer, items: [{ price: gold.id }], days_until_due: 3 });
  expect(await failureOf(automatic)).toMatchObject({ param: "days_until_due" });
});

test("nothing to pay is active without a card", async () => {
  const customer = (await stripe.customers.create({})).id;
  const free = await stripe.prices.create({
    currency: "eur",
    unit_amount: 0,
    recurring: { interval: "year" },
    product_data: { name: "Free" },
  });
  const made = await stripe.subscriptions.create({ customer, items: [{ price: free.id }], expand: ["latest_invoice"] });
  expect(made).toMatchObject({
    status: "active",
    latest_invoice: { status: "paid", total: 0, lines: { data: [{ description: "1 × Free (at €0.00 / year)" }] } },
  });
});

test("the same key gets the same subscription as it is by now, though its card is gone", async () => {
  const customer = await customerWith();
  const product = await stripe.products.create({ name: "Once" });
  const terms = { currency: "usd", product: product.id, unit_amount: 700, recurring: { interval: "day" as const } };
  const ask = { customer, items: [{ price_data: terms }] };
  const first = await stripe.subscriptions.create(ask, { idempotencyKey: "sub-1" });
  expect(first.status).toBe("active");
  const again = await stripe.subscriptions.create(ask, { idempotencyKey: "sub-1" });
  expect(again).toEqual(first);
  expect(again.lastResponse.headers["idempotent-replayed"]).toBe("true");
  expect((await stripe.charges.list({ customer })).data).toHaveLength(1);
  expect((await stripe.prices.list({ product: product.id })).data).toHaveLength(1);
  await stripe.subscriptions.update(first.id, { metadata: { later: "yes" } });
  await stripe.paymentMethods.detach(String((await stripe.charges.list({ customer })).data[0]?.payment_method));
  const later = await stripe.subscriptions.create(ask, { idempotencyKey: "sub-1" });
  expect([later.id, later.metadata]).toEqual([first.id, { later: "yes" }]);
  const other = stripe.subscriptions.create({ customer, items: [{ price: gold.id }] }, { idempotencyKey: "sub-1" });
  expect(await failureOf(other)).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
});

test("a declined first invoice is not tried again by the same key, and its refusal is repeated", async () => {
  const customer = await customerWith("tok_chargeCustomerFail");
  const ask = { customer, items: [{ price: gold.id }] };
  const first = await stripe.subscriptions.create(ask, { idempotencyKey: "sub-2" });
  const again = await stripe.subscriptions.create(ask, { idempotencyKey: "sub-2" });
  expect([again.id, again.status]).toEqual([first.id, "incomplete"]);
  expect((await stripe.charges.list({ customer })).data).toHaveLength(1);
  const strict = { ...ask, payment_behavior: "error_if_incomplete" as const };
  const once = await failureOf(stripe.subscriptions.create(strict, { idempotencyKey: "sub-3" }));
  const twice = await failureOf(stripe.subscriptions.create(strict, { idempotencyKey: "sub-3" }));
  expect([twice.statusCode, twice.charge]).toEqual([402, once.charge]);
  expect((await stripe.charges.list({ customer })).data).toHaveLength(2);
});

test("one key raced makes one subscription and one charge", async () => {
  const customer = await customerWith();
  const ask = { customer, items: [{ price: gold.id }] };
  const raced = await Promise.all(
    Array.from({ length: 10 }, () => stripe.subscriptions.create(ask, { idempotencyKey: "sub-raced" })),
  );
  expect(new Set(raced.map(({ id }) => id)).size).toBe(1);
  expect((await stripe.charges.list({ customer })).data).toHaveLength(1);
  expect((await stripe.subscriptions.list({ customer })).data).toMatchObject([{ status: "active" }]);
});
