import Stripe from "stripe";
import { expect, test } from "vitest";
import { startBench } from "./testing/tripe.ts";

async function failureOf(work: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof Stripe.errors.StripeError) return error;
  throw new Error("the call was meant to fail", { cause: error });
}

// Whole-system journeys: the official SDK over real HTTP, against the real services, database and sandbox bank; once with
// the services in this process, once over gRPC.
const wirings = await Promise.all(
  (["direct", "grpc"] as const).map(async (wiring) => {
    const bench = await startBench({ wiring });
    return { wiring, bench, stripe: await bench.stripe() };
  }),
);

test.each(wirings)(
  "a merchant's program makes a customer with a card, charges it and returns a part (over $wiring)",
  async ({ stripe }) => {
    const customer = await stripe.customers.create({
      email: "ann@example.com",
      name: "Ann É",
      description: "",
      metadata: { order: "6735", empty: "" },
      address: { line1: "1 Rue", country: "FR" },
      payment_method: "pm_card_visa",
      invoice_settings: { default_payment_method: "pm_card_visa" },
      preferred_locales: ["fr", "en"],
    });
    expect(customer).toMatchObject({
      object: "customer",
      name: "Ann É",
      description: null,
      metadata: { order: "6735" },
      preferred_locales: ["fr", "en"],
      default_source: null,
    });
    const charge = await stripe.charges.create({ amount: 2_000, currency: "usd", customer: customer.id });
    expect(charge).toMatchObject({ object: "charge", status: "succeeded", paid: true, customer: customer.id });
    const refund = await stripe.refunds.create({ charge: charge.id, amount: 500, reason: "requested_by_customer" });
    expect(refund).toMatchObject({ object: "refund", status: "succeeded", amount: 500, charge: charge.id });
    const expand = ["customer", "balance_transaction", "refunds"];
    const after = await stripe.charges.retrieve(charge.id, { expand });
    expect(after).toMatchObject({
      amount_refunded: 500,
      refunded: false,
      customer: { id: customer.id, object: "customer" },
      balance_transaction: { object: "balance_transaction", amount: 2_000, fee: 88, net: 1_912 },
      refunds: { object: "list", data: [{ id: refund.id }], has_more: false },
    });
    const rest = await stripe.refunds.create({ charge: charge.id });
    expect(rest.amount).toBe(1_500);
    expect(await failureOf(stripe.refunds.create({ charge: charge.id }))).toMatchObject({
      statusCode: 400,
      code: "charge_already_refunded",
      message: `Charge ${charge.id} has already been refunded.`,
    });
  },
);

test.each(wirings)("a token is used once, for a charge or for a customer's card (over $wiring)", async ({ stripe }) => {
  const token = await stripe.tokens.create({
    card: { number: "4242424242424242", exp_month: "12", exp_year: "2034", cvc: "314" },
  });
  expect(token).toMatchObject({
    object: "token",
    used: false,
    card: { brand: "Visa", last4: "4242", cvc_check: "pass" },
  });
  const charge = await stripe.charges.create({ amount: 1_000, currency: "usd", source: token.id });
  expect(charge.source).toMatchObject({ object: "card", last4: "4242" });
  expect(await stripe.tokens.retrieve(token.id)).toMatchObject({ used: true });
  expect(await failureOf(stripe.charges.create({ amount: 1_000, currency: "usd", source: token.id }))).toMatchObject({
    statusCode: 400,
    code: "token_already_used",
    param: "source",
  });
});

test.each(wirings)("cards are attached, listed, made the default and detached (over $wiring)", async ({ stripe }) => {
  const customer = await stripe.customers.create({ email: "bob@example.com", source: "tok_visa" });
  const first = customer.default_source;
  const attached = await stripe.paymentMethods.attach("pm_card_mastercard", { customer: customer.id });
  expect(attached.id).not.toBe("pm_card_mastercard");
  expect(attached).toMatchObject({ object: "payment_method", customer: customer.id, card: { brand: "mastercard" } });
  const amex = await stripe.customers.createSource(customer.id, { source: "tok_amex" });
  const { data } = await stripe.customers.listPaymentMethods(customer.id, { type: "card" });
  // Newest first, whatever the prefixes.
  expect(data.map(({ id }) => id)).toEqual([amex.id, attached.id, first]);
  const listed = await stripe.paymentMethods.list({ customer: customer.id, type: "card", limit: 2 });
  expect([listed.data.length, listed.has_more]).toEqual([2, true]);
  const changed = await stripe.customers.update(customer.id, { default_source: amex.id, expand: ["default_source"] });
  expect(changed.default_source).toMatchObject({ id: amex.id, object: "card", brand: "American Express" });
  expect((await stripe.paymentMethods.detach(attached.id)).customer).toBeNull();
  expect(await failureOf(stripe.paymentMethods.attach(attached.id, { customer: customer.id }))).toMatchObject({
    statusCode: 400,
    message: expect.stringContaining("may not be used again"),
  });
  expect((await stripe.customers.retrieve(customer.id, { expand: ["sources"] })) as Stripe.Customer).toMatchObject({
    sources: { object: "list", data: [{ id: amex.id }, { id: first }] },
  });
});

const declines = [
  ["tok_chargeDeclined", "card_declined", "generic_decline"],
  ["tok_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"],
  ["tok_visa_chargeDeclinedLostCard", "card_declined", "lost_card"],
  ["tok_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"],
  ["tok_chargeDeclinedExpiredCard", "expired_card", ""],
  ["tok_chargeDeclinedIncorrectCvc", "incorrect_cvc", ""],
  ["tok_chargeDeclinedProcessingError", "processing_error", ""],
] as const;

test.each(
  wirings.flatMap(({ wiring, stripe }) =>
    declines.map(([source, code, declineCode]) => ({ wiring, stripe, source, code, declineCode })),
  ),
)(
  "$source is declined with 402 $code and leaves a failed charge that can be read (over $wiring)",
  async ({ stripe, source, code, declineCode }) => {
    const failure = await failureOf(stripe.charges.create({ amount: 2_000, currency: "usd", source }));
    expect(failure).toBeInstanceOf(Stripe.errors.StripeCardError);
    expect(failure).toMatchObject({ statusCode: 402, code, decline_code: declineCode });
    const charge = await stripe.charges.retrieve(String(failure.charge));
    expect(charge).toMatchObject({ status: "failed", paid: false, failure_code: code, amount_captured: 0 });
  },
);

test.each(wirings)(
  "a card that its bank declines cannot be attached, but tok_chargeCustomerFail can, and fails to be charged (over $wiring)",
  async ({ stripe }) => {
    expect(await failureOf(stripe.customers.create({ source: "tok_chargeDeclined" }))).toMatchObject({
      statusCode: 402,
      code: "card_declined",
    });
    const customer = await stripe.customers.create({ source: "tok_chargeCustomerFail" });
    const failure = await failureOf(stripe.charges.create({ amount: 900, currency: "usd", customer: customer.id }));
    expect(failure).toMatchObject({ statusCode: 402, code: "card_declined", charge: expect.stringMatching(/^ch_/) });
  },
);

test.each(wirings)(
  "the same key gets the same charge, another request under it is refused, and a decline is repeated (over $wiring)",
  async ({ stripe }) => {
    const ask = { amount: 1_000, currency: "usd", source: "tok_visa" };
    const first = await stripe.charges.create(ask, { idempotencyKey: "order-42" });
    const again = await stripe.charges.create(ask, { idempotencyKey: "order-42" });
    expect(again).toEqual(first);
    expect(again.lastResponse.headers["idempotent-replayed"]).toBe("true");
    expect(first.lastResponse.headers["idempotent-replayed"]).toBeUndefined();
    const other = await failureOf(stripe.charges.create({ ...ask, amount: 1_001 }, { idempotencyKey: "order-42" }));
    expect(other).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
    const declined = { amount: 1_000, currency: "usd", source: "tok_chargeDeclined" };
    const once = await failureOf(stripe.charges.create(declined, { idempotencyKey: "order-43" }));
    const twice = await failureOf(stripe.charges.create(declined, { idempotencyKey: "order-43" }));
    expect(twice.charge).toBe(once.charge);
  },
);

test.each(wirings)(
  "a charge made before its customer lost the card is still answered to the same key (over $wiring)",
  async ({ stripe }) => {
    const customer = await stripe.customers.create({ source: "tok_visa" });
    const ask = { amount: 700, currency: "usd", customer: customer.id };
    const charge = await stripe.charges.create(ask, { idempotencyKey: "lost-card" });
    await stripe.paymentMethods.detach(String(customer.default_source));
    expect((await stripe.charges.create(ask, { idempotencyKey: "lost-card" })).id).toBe(charge.id);
    expect(await failureOf(stripe.charges.create(ask))).toMatchObject({ statusCode: 402, code: "missing" });
    await stripe.customers.del(customer.id);
    expect((await stripe.charges.create(ask, { idempotencyKey: "lost-card" })).id).toBe(charge.id);
    expect(await failureOf(stripe.charges.create(ask))).toMatchObject({ code: "resource_missing", param: "customer" });
  },
);

test.each(wirings)("one key raced 50 ways makes one charge (over $wiring)", async ({ stripe }) => {
  const ask = { amount: 1_234, currency: "usd", source: "tok_visa" };
  const raced = await Promise.all(
    Array.from({ length: 50 }, () => stripe.charges.create(ask, { idempotencyKey: "raced" })),
  );
  expect(new Set(raced.map(({ id }) => id)).size).toBe(1);
});

test.each(wirings)("a deleted customer is told apart from one that never was (over $wiring)", async ({ stripe }) => {
  const { id } = await stripe.customers.create();
  expect(await stripe.customers.del(id)).toEqual({ id, object: "customer", deleted: true });
  expect(await stripe.customers.retrieve(id)).toEqual({ id, object: "customer", deleted: true });
  expect(await failureOf(stripe.customers.del(id))).toMatchObject({ statusCode: 404, code: "resource_missing" });
  expect(await failureOf(stripe.customers.retrieve("cus_none"))).toMatchObject({
    statusCode: 404,
    code: "resource_missing",
    param: "id",
    message: "No such customer: 'cus_none'",
  });
});

test.each(wirings)(
  "lists are walked forwards and backwards, and say whether there is more (over $wiring)",
  async ({ stripe }) => {
    const customer = await stripe.customers.create({ source: "tok_visa" });
    const made: string[] = [];
    for (const amount of [101, 102, 103, 104, 105]) {
      made.unshift((await stripe.charges.create({ amount, currency: "usd", customer: customer.id })).id);
    }
    const walked: string[] = [];
    for await (const { id } of stripe.charges.list({ customer: customer.id, limit: 2 })) walked.push(id);
    expect(walked).toEqual(made);
    const [newest = "", , middle = "", , oldest = ""] = made;
    const before = await stripe.charges.list({ customer: customer.id, limit: 2, ending_before: oldest });
    expect([before.data.map(({ id }) => id), before.has_more]).toEqual([made.slice(2, 4), true]);
    const after = await stripe.charges.list({ customer: customer.id, limit: 10, starting_after: middle });
    expect([after.data.map(({ id }) => id), after.has_more]).toEqual([made.slice(3), false]);
    const { created } = await stripe.charges.retrieve(newest);
    expect((await stripe.charges.list({ customer: customer.id, created: { gt: created } })).data).toEqual([]);
    expect(await failureOf(stripe.charges.list({ customer: "cus_none" }))).toMatchObject({ param: "customer" });
  },
);

test.each(wirings)("metadata is set, changed key by key and cleared (over $wiring)", async ({ stripe }) => {
  const { id } = await stripe.customers.create({ metadata: { a: "1", b: "2" } });
  expect((await stripe.customers.update(id, { metadata: { a: "", c: "3" } })).metadata).toEqual({ b: "2", c: "3" });
  expect((await stripe.customers.update(id, { metadata: "" })).metadata).toEqual({});
  const charge = await stripe.charges.create({ amount: 500, currency: "eur", source: "tok_visa", description: "d" });
  const changed = await stripe.charges.update(charge.id, { metadata: { k: "v2" }, description: "" });
  expect(changed).toMatchObject({ metadata: { k: "v2" }, description: null });
});

test.each(wirings)(
  "a bank that does not answer leaves a pending charge, not a failed one (over $wiring)",
  async ({ bench, stripe }) => {
    const token = await stripe.tokens.create({
      card: { number: "4242424242424242", exp_month: "12", exp_year: "2034" },
    });
    bench.failNext({ kind: "malformed", lateMs: 0 });
    const charge = await stripe.charges.create({ amount: 3_000, currency: "usd", source: token.id });
    expect(charge).toMatchObject({ status: "pending", paid: false });
  },
);
