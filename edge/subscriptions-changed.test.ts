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

test("words, payment method and end of a subscription change; everything else is refused by name", async () => {
  const customer = await customerWith();
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: gold.id }], description: "a" });
  const card = await stripe.paymentMethods.attach("pm_card_mastercard", { customer });
  const changed = await stripe.subscriptions.update(id, {
    cancel_at_period_end: true,
    default_payment_method: card.id,
    description: "",
    metadata: { k: "v" },
  });
  expect(changed).toMatchObject({
    cancel_at_period_end: true,
    cancel_at: changed.items.data[0]?.current_period_end,
    default_payment_method: card.id,
    description: null,
    metadata: { k: "v" },
    status: "active",
  });
  const undone = await stripe.subscriptions.update(id, { cancel_at_period_end: false, default_payment_method: "" });
  expect(undone).toMatchObject({ cancel_at: null, canceled_at: null, default_payment_method: null });
  const items = stripe.subscriptions.update(id, { items: [{ price: gold.id }] });
  expect(await failureOf(items)).toMatchObject({ code: "parameter_unknown", param: "items" });
  const gone = stripe.subscriptions.update(id, { default_payment_method: "pm_none" });
  expect(await failureOf(gone)).toMatchObject({ statusCode: 400, param: "default_payment_method" });
  expect(await failureOf(stripe.subscriptions.update("sub_none", { description: "x" }))).toMatchObject({
    statusCode: 404,
    message: "No such subscription: 'sub_none'",
  });
});

test("a card that was detached is no subscription's own any more, and stands in the way of no other change", async () => {
  const customer = await customerWith();
  const { id: own } = await stripe.paymentMethods.attach("pm_card_mastercard", { customer });
  const asked = { customer, items: [{ price: gold.id }], default_payment_method: own };
  const { id, default_payment_method: before } = await stripe.subscriptions.create(asked);
  expect(before).toBe(own);
  await stripe.paymentMethods.detach(own);
  expect((await stripe.subscriptions.retrieve(id)).default_payment_method).toBeNull();
  const [listed] = (await stripe.subscriptions.list({ customer })).data;
  expect(listed?.default_payment_method).toBeNull();
  const changed = await stripe.subscriptions.update(id, { description: "b" });
  expect(changed).toMatchObject({ description: "b", default_payment_method: null });
});

test("a canceled subscription is ended: not listed any more, and not to be changed", async () => {
  const customer = await customerWith();
  const ask = { customer, items: [{ price: gold.id }] };
  const kept = await stripe.subscriptions.create(ask);
  const { id } = await stripe.subscriptions.create(ask);
  expect(await failureOf(stripe.subscriptions.cancel(id, { prorate: true }))).toMatchObject({ param: "prorate" });
  expect(await failureOf(stripe.subscriptions.cancel(id, { invoice_now: true }))).toMatchObject({
    param: "invoice_now",
  });
  const canceled = await stripe.subscriptions.cancel(id, { invoice_now: false, expand: ["customer"] });
  expect(canceled).toMatchObject({
    status: "canceled",
    ended_at: expect.any(Number),
    cancellation_details: { reason: "cancellation_requested" },
    customer: { id: customer },
  });
  expect(await failureOf(stripe.subscriptions.cancel(id))).toMatchObject({ statusCode: 404, code: "resource_missing" });
  for (const late of [{ description: "x" }, { cancel_at_period_end: true }, { default_payment_method: "" }]) {
    const { statusCode, message } = await failureOf(stripe.subscriptions.update(id, { ...late, metadata: { k: "v" } }));
    expect([statusCode, message]).toEqual([400, expect.stringContaining("cancellation_details and metadata")]);
  }
  const noted = await stripe.subscriptions.update(id, { metadata: { k: "v" } });
  expect(noted).toMatchObject({ status: "canceled", metadata: { k: "v" }, canceled_at: canceled.canceled_at });
  const idsOf = async (params: Stripe.SubscriptionListParams) =>
    (await stripe.subscriptions.list({ customer, ...params })).data.map((one) => one.id);
  expect(await idsOf({})).toEqual([kept.id]);
  expect(await idsOf({ status: "all", price: gold.id })).toEqual([id, kept.id]);
  expect(await idsOf({ status: "canceled" })).toEqual([id]);
  expect(await idsOf({ status: "active" })).toEqual([kept.id]);
  expect(await idsOf({ status: "trialing" })).toEqual([]);
});

test("ended subscriptions of both kinds are one list, walked either way", async () => {
  const customer = await customerWith("tok_chargeCustomerFail");
  const ids: string[] = [];
  for (const isFirstPaid of [true, false, true, false]) {
    const trial = isFirstPaid ? { trial_period_days: 1 } : {};
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: gold.id }], ...trial });
    await stripe.subscriptions.cancel(id);
    ids.unshift(id);
  }
  const walked: string[] = [];
  const states: string[] = [];
  for await (const one of stripe.subscriptions.list({ customer, status: "ended", limit: 1 })) {
    walked.push(one.id);
    states.push(one.status);
  }
  expect(walked).toEqual(ids);
  expect(states).toEqual(["incomplete_expired", "canceled", "incomplete_expired", "canceled"]);
  const [, second, third, oldest = ""] = ids;
  const before = await stripe.subscriptions.list({ customer, status: "ended", limit: 2, ending_before: oldest });
  expect([before.data.map(({ id }) => id), before.has_more]).toEqual([[second, third], true]);
});

test("a list tells no subscriptions from no such customer", async () => {
  const customer = await customerWith();
  expect((await stripe.subscriptions.list({ customer })).data).toEqual([]);
  expect(await failureOf(stripe.subscriptions.list({ customer: "cus_none" }))).toMatchObject({ param: "customer" });
  expect(await failureOf(stripe.subscriptions.list({ price: "price_none" }))).toMatchObject({ param: "price" });
});

test("deleting a customer ends its subscription at once", async () => {
  const customer = await customerWith();
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: gold.id }] });
  expect(await stripe.customers.del(customer)).toMatchObject({ id: customer, deleted: true });
  expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: "canceled", ended_at: expect.any(Number) });
});

test("what a customer owes besides joins the first invoice, in its currency and once, though two begin at once", async () => {
  const customer = await customerWith();
  const owe = (currency: string) =>
    stripe.invoiceItems.create({ customer, amount: 300, currency, description: "Extra" });
  const [dollars, euros] = [await owe("usd"), await owe("eur")];
  const ask = { customer, items: [{ price: gold.id }], expand: ["latest_invoice"] };
  const trial = await stripe.subscriptions.create({ ...ask, trial_period_days: 7 });
  expect(trial.latest_invoice).toMatchObject({ total: 0, status: "paid" });
  const both = await Promise.all([stripe.subscriptions.create(ask), stripe.subscriptions.create(ask)]);
  expect(both.map(({ status }) => status)).toEqual(["active", "active"]);
  const invoices = both.map((one) => one.latest_invoice as Stripe.Invoice);
  expect(invoices.map(({ amount_paid }) => amount_paid).toSorted()).toEqual([1_000, 1_300]);
  const { data } = await stripe.invoiceItems.list({ customer, pending: true });
  expect(data.map(({ id }) => id)).toEqual([euros.id]);
  const words = invoices.flatMap(({ lines }) => lines.data.map(({ description }) => description));
  expect(words.filter((one) => one === dollars.description)).toHaveLength(1);
});
