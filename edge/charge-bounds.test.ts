import type Stripe from "stripe";
import { expect, test } from "vitest";
import { failureOf } from "./testing/failure.ts";
import { startBench } from "./testing/tripe.ts";

// What no charge could be, no invoice and no subscription is: it is refused before there is anything to charge.
const bench = await startBench();
const stripe = await bench.stripe();

const createCustomer = async () => (await stripe.customers.create({ email: "ann@example.com", source: "tok_visa" })).id;

async function createDraft(amounts: readonly number[], change: Partial<Stripe.InvoiceCreateParams> = {}) {
  const customer = await createCustomer();
  for (const amount of amounts) await stripe.invoiceItems.create({ customer, amount, currency: "usd" });
  return stripe.invoices.create({ customer, pending_invoice_items_behavior: "include", ...change });
}

test.each([
  ["amount_too_small", [1]],
  ["amount_too_small", [500, -451]],
  ["amount_too_large", [99_999_999, 99_999_999]],
])("an invoice is neither finalized nor paid: %s for %j, and it stays a draft", async (code, amounts) => {
  const { id, customer } = await createDraft(amounts);
  const refused = { statusCode: 400, type: "StripeInvalidRequestError", code };
  expect(await failureOf(stripe.invoices.finalizeInvoice(id))).toMatchObject(refused);
  expect(await failureOf(stripe.invoices.pay(id))).toMatchObject(refused);
  expect(await stripe.invoices.retrieve(id)).toMatchObject({ status: "draft", number: null });
  expect((await stripe.charges.list({ customer: String(customer) })).data).toEqual([]);
});

test("the least and the most that a charge may be are paid, and what is mailed may be less", async () => {
  for (const amount of [50, 99_999_999]) {
    expect(await stripe.invoices.pay((await createDraft([amount])).id)).toMatchObject({ status: "paid" });
  }
  const { id } = await createDraft([1], { collection_method: "send_invoice", days_until_due: 30 });
  expect(await stripe.invoices.finalizeInvoice(id)).toMatchObject({ status: "open", amount_due: 1 });
});

const planOf = async (unitAmount: number) => {
  const named = { currency: "usd", product_data: { name: "Gold" } };
  return (await stripe.prices.create({ ...named, unit_amount: unitAmount, recurring: { interval: "month" } })).id;
};

test.each<[string, number, Partial<Stripe.SubscriptionCreateParams>]>([
  ["amount_too_small", 10, {}],
  ["amount_too_small", 10, { trial_period_days: 7 }],
  ["amount_too_small", 10, { collection_method: "send_invoice", days_until_due: 30 }],
  ["amount_too_large", 99_999_999, { trial_period_days: 7 }],
])(
  "a subscription whose renewals could not be charged is refused: %s for 2 of %i, %j",
  async (code, amount, change) => {
    const customer = await createCustomer();
    const items = [{ price: await planOf(amount), quantity: 2 }];
    expect(await failureOf(stripe.subscriptions.create({ customer, items, ...change }))).toMatchObject({
      statusCode: 400,
      code,
    });
    expect((await stripe.subscriptions.list({ customer, status: "all" })).data).toEqual([]);
  },
);

test("what a customer owes besides is billed with a subscription as far as one charge can be that", async () => {
  const customer = await createCustomer();
  for (const amount of [99_999_999, 200, -1_199]) {
    await stripe.invoiceItems.create({ customer, amount, currency: "usd", description: `Of ${amount}` });
  }
  const items = [{ price: await planOf(1_000) }];
  const { latest_invoice: invoice } = await stripe.subscriptions.create({
    customer,
    items,
    expand: ["latest_invoice"],
  });
  expect(invoice).toMatchObject({ status: "paid", amount_paid: 1_200 });
  const pending = await stripe.invoiceItems.list({ customer, pending: true });
  expect(pending.data.map(({ amount }) => amount)).toEqual([-1_199, 99_999_999]);
});

// What DIFFERENCES.md says of amounts, and of bodies.
test.each<[readonly number[], string, object]>([
  [[500, -500], "paid", {}],
  [[], "paid", {}],
  [[500, -900], "draft", { statusCode: 400, message: expect.stringContaining("below zero") }],
  [[49], "draft", { statusCode: 400, code: "amount_too_small" }],
])(
  "a total of %j is paid when it is zero, and refused where only a balance could keep it",
  async (amounts, status, refused) => {
    const { id } = await createDraft(amounts);
    const finalized = stripe.invoices.finalizeInvoice(id);
    if (status === "paid") expect(await finalized).toMatchObject({ status, amount_due: 0 });
    else expect(await failureOf(finalized)).toMatchObject(refused);
    expect((await stripe.invoices.retrieve(id)).status).toBe(status);
  },
);

test.each(["10.5", "0.005", "-100", "1e2"])(
  "an item of a fraction of a cent, or of less than nothing, is refused: %s",
  async (unit) => {
    const customer = await createCustomer();
    const item = { customer, currency: "usd", unit_amount_decimal: unit, quantity: 1_000 };
    const payload = Object.fromEntries(Object.entries(item).map(([name, value]) => [name, String(value)]));
    const { status, body } = await bench.ask({ method: "POST", url: "/v1/invoiceitems", payload });
    expect([status, body.error?.["param"]]).toEqual([400, "unit_amount_decimal"]);
  },
);

test.each([
  ["bhd", 990, 400],
  ["bhd", 1_000, 200],
  ["kes", 99, 400],
  ["kes", 100, 200],
  ["krw", 1, 200],
])(
  "the least charge of a currency without a published minimum is one whole unit: %s %i",
  async (currency, amount, status) => {
    const payload = { amount, currency, source: "tok_visa" };
    expect((await bench.ask({ method: "POST", url: "/v1/charges", payload })).status).toBe(status);
  },
);

test("metadata of 50 values of 500 letters is taken where a body of 64 KiB holds it", async () => {
  const metadata = (letter: string, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`key_${index}`, letter.repeat(500)]));
  const create = (letter: string, count: number) =>
    bench.ask({ method: "POST", url: "/v1/customers", payload: { metadata: metadata(letter, count) } });
  expect((await create("a", 50)).body["metadata"]).toEqual(metadata("a", 50));
  expect((await create("字", 42)).body["metadata"]).toEqual(metadata("字", 42));
  const { status, body } = await create("字", 50);
  expect([status, body.error?.["message"]]).toEqual([413, expect.stringContaining("64 KiB")]);
});
