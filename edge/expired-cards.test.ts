import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { afterAll, expect, test } from "vitest";
import { Sweep } from "../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { connectDatabase } from "../services/_database/connect.ts";
import { silentLog } from "../services/_runtime/log.ts";
import { startTestScheduler } from "../services/scheduler/testing/billing.ts";
import { failureOf } from "./testing/failure.ts";
import { startBench } from "./testing/tripe.ts";

// A card that was good when it was stored, and is past its month now: the bank says so, whoever asks it.
const bench = await startBench();
const { tripe } = bench;
const { accountId } = tripe;
const stripe = await bench.stripe();
const database = connectDatabase({ url: tripe.database.urls.owner, role: "owner", connectionsMax: 2, log: silentLog });
afterAll(() => database.close());
const run = (text: string, ...values: unknown[]) => database.query({ name: "", text }, values);

const gold = await stripe.prices.create({
  currency: "usd",
  unit_amount: 1_000,
  recurring: { interval: "month" },
  product_data: { name: "Gold" },
});

async function createCustomer() {
  const { id, default_source: source } = await stripe.customers.create({ source: "tok_visa" });
  return { id, cardId: String(source) };
}

/** Makes a stored card the one that was typed in January 2020 and good to the end of that year. */
async function expire(paymentMethodId: string): Promise<void> {
  const { sealedCard } = await tripe.clientsOf("edge").bank.sealCard({
    accountId,
    paymentMethodId,
    card: { number: "4242424242424242", expMonth: 12, expYear: 2020, cvc: "" },
    businessTime: timestampFromDate(new Date("2020-01-15T00:00:00Z")),
  });
  const text = "update payment_method set exp_year = 2020, sealed_card = $2 where payment_method_id = $1";
  await run(text, paymentMethodId, sealedCard);
}

test("an expired card pays no invoice, neither asked for nor by default: 402 expired_card, and another card does", async () => {
  const { id: customer, cardId } = await createCustomer();
  await expire(cardId);
  await stripe.invoiceItems.create({ customer, amount: 1_500, currency: "usd" });
  const { id } = await stripe.invoices.create({ customer, pending_invoice_items_behavior: "include" });
  const refused = { statusCode: 402, type: "StripeCardError", code: "expired_card" };
  expect(await failureOf(stripe.invoices.pay(id))).toMatchObject(refused);
  expect(await failureOf(stripe.invoices.pay(id, { payment_method: cardId }))).toMatchObject(refused);
  expect((await stripe.invoices.retrieve(id)).status).toBe("open");
  const { id: goodId } = await stripe.customers.createSource(customer, { source: "tok_mastercard" });
  expect((await stripe.invoices.pay(id, { payment_method: goodId })).status).toBe("paid");
});

test("with an expired card a subscription is made incomplete, or not at all", async () => {
  const { id: customer, cardId } = await createCustomer();
  await expire(cardId);
  const params = { customer, items: [{ price: gold.id }] };
  expect((await stripe.subscriptions.create(params)).status).toBe("incomplete");
  const strict = { ...params, payment_behavior: "error_if_incomplete" } as const;
  expect(await failureOf(stripe.subscriptions.create(strict))).toMatchObject({
    statusCode: 402,
    code: "expired_card",
  });
});

test("a renewal on a card that has expired since is a failed attempt, and is tried again", async () => {
  const { id: customer, cardId } = await createCustomer();
  const { id, status } = await stripe.subscriptions.create({ customer, items: [{ price: gold.id }] });
  expect(status).toBe("active");
  await expire(cardId);
  const back = "interval '40 days'";
  await run(
    `update subscription set anchor_time = anchor_time - ${back}, period_start_time = period_start_time - ${back},
      period_end_time = period_end_time - ${back}, renew_time = renew_time - ${back} where subscription_id = $1`,
    id,
  );
  const scheduler = startTestScheduler(tripe);
  await scheduler.run(Sweep.RENEWALS);
  await scheduler.run(Sweep.COLLECTIONS);
  const subscription = await stripe.subscriptions.retrieve(id, { expand: ["latest_invoice"] });
  expect(subscription.status).toBe("past_due");
  expect(subscription.latest_invoice).toMatchObject({
    status: "open",
    attempt_count: 1,
    billing_reason: "subscription_cycle",
  });
  const [charge] = (await stripe.charges.list({ customer, limit: 1 })).data;
  expect(charge).toMatchObject({ status: "failed", failure_code: "expired_card" });
});
