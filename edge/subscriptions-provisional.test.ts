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

test("with error_if_incomplete and a card that pays, the subscription, its number and its events are those of any other", async () => {
  const customer = await customerWith();
  const ask = { customer, items: [{ price: gold.id }], payment_behavior: "error_if_incomplete" as const };
  const paid = await stripe.subscriptions.create({ ...ask, expand: ["latest_invoice"] });
  expect(paid).toMatchObject({ status: "active", latest_invoice: { status: "paid", attempt_count: 1 } });
  expect((paid.latest_invoice as Stripe.Invoice).number).toMatch(/-0001$/);
  const events = await stripe.events.list({ limit: 12 });
  expect(events.data.map(({ type }) => type).reverse()).toEqual(
    expect.arrayContaining([
      "customer.subscription.created",
      "invoice.created",
      "invoice.finalized",
      "customer.subscription.updated",
      "invoice.paid",
    ]),
  );
});

test("error_if_incomplete without a card is a 400 that leaves nothing, and what was owed beside it is pending again", async () => {
  const customer = (await stripe.customers.create({})).id;
  const item = await stripe.invoiceItems.create({ customer, amount: 700, currency: "eur" });
  const ask = { customer, items: [{ price: gold.id }], payment_behavior: "error_if_incomplete" as const };
  const failures = [];
  for (const idempotencyKey of ["sub-cardless", "sub-cardless", "sub-cardless-2"]) {
    failures.push(await failureOf(stripe.subscriptions.create(ask, { idempotencyKey })));
  }
  expect(failures.map(({ statusCode }) => statusCode)).toEqual([400, 400, 400]);
  expect((await stripe.subscriptions.list({ customer, status: "all" })).data).toEqual([]);
  expect((await stripe.invoices.list({ customer })).data).toEqual([]);
  expect((await stripe.invoiceItems.retrieve(item.id)).invoice).toBeNull();
});

test("a bank that does not answer is a 503 with error_if_incomplete, and nothing is shown before it has", async () => {
  const customer = await customerWith();
  bench.failNext({ kind: "malformed", lateMs: 0 });
  const ask = { customer, items: [{ price: gold.id }], payment_behavior: "error_if_incomplete" as const };
  const options = { idempotencyKey: "sub-unknown", maxNetworkRetries: 0 };
  expect(await failureOf(stripe.subscriptions.create(ask, options))).toMatchObject({ statusCode: 503 });
  expect((await stripe.subscriptions.list({ customer, status: "all" })).data).toEqual([]);
  expect((await stripe.invoices.list({ customer })).data).toEqual([]);
  const payments = await stripe.invoicePayments.list({ limit: 100 });
  expect(payments.data.filter(({ status }) => status === "open")).toEqual([]);
});
