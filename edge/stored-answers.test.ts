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

interface Case {
  /** Makes what the write needs. */
  prepare(): Promise<string>;
  /** The write, sent twice with one key. */
  write(id: string, options: Stripe.RequestOptions): Promise<object>;
  /** What happens between the two, after which the write alone would be refused. */
  change(id: string): Promise<unknown>;
}

const createCustomer = async (source = "tok_visa") =>
  (await stripe.customers.create({ email: "ann@example.com", source })).id;
const createInvoice = async () => {
  const customer = await createCustomer();
  const { id } = await stripe.invoices.create({ customer });
  await stripe.invoiceItems.create({ customer, invoice: id, amount: 900, currency: "usd" });
  return id;
};
const deleteCustomer = (id: string) => stripe.customers.del(id);

const cases: Record<string, Case> = {
  "a charge whose customer was deleted": {
    prepare: createCustomer,
    write: (customer, options) => stripe.charges.create({ amount: 700, currency: "usd", customer }, options),
    change: deleteCustomer,
  },
  "a charge whose token is used": {
    prepare: async () =>
      (await stripe.tokens.create({ card: { number: "4242424242424242", exp_month: "12", exp_year: "2040" } })).id,
    write: (source, options) => stripe.charges.create({ amount: 700, currency: "usd", source }, options),
    change: async () => {},
  },
  "an invoice whose customer was deleted": {
    prepare: createCustomer,
    write: (customer, options) => stripe.invoices.create({ customer }, options),
    change: deleteCustomer,
  },
  "an invoice item whose customer was deleted": {
    prepare: createCustomer,
    write: (customer, options) => stripe.invoiceItems.create({ customer, amount: 5, currency: "usd" }, options),
    change: deleteCustomer,
  },
  "an invoice's item once the invoice is finalized": {
    prepare: createInvoice,
    write: async (invoice, options) => {
      const customer = String((await stripe.invoices.retrieve(invoice)).customer);
      return stripe.invoiceItems.create({ customer, invoice, amount: 5, currency: "usd" }, options);
    },
    change: (invoice) => stripe.invoices.finalizeInvoice(invoice),
  },
  "a change of a draft that was finalized": {
    prepare: createInvoice,
    write: (id, options) => stripe.invoices.update(id, { footer: "Thanks" }, options),
    change: (id) => stripe.invoices.finalizeInvoice(id),
  },
  "a change of a customer that was deleted": {
    prepare: createCustomer,
    write: (id, options) => stripe.customers.update(id, { name: "Bob" }, options),
    change: deleteCustomer,
  },
  "a card that was attached, then to a deleted customer": {
    prepare: createCustomer,
    write: (customer, options) => stripe.customers.createSource(customer, { source: "tok_mastercard" }, options),
    change: deleteCustomer,
  },
  "a change of a subscription that was canceled": {
    prepare: async () =>
      (await stripe.subscriptions.create({ customer: await createCustomer(), items: [{ price: gold.id }] })).id,
    write: (id, options) => stripe.subscriptions.update(id, { description: "Two" }, options),
    change: (id) => stripe.subscriptions.cancel(id),
  },
  "a price whose product is no longer active": {
    prepare: async () => (await stripe.products.create({ name: "Old" })).id,
    write: (product, options) => stripe.prices.create({ product, currency: "usd", unit_amount: 5 }, options),
    change: (product) => stripe.products.update(product, { active: false }),
  },
  "a refund once all is returned": {
    prepare: async () =>
      (await stripe.charges.create({ amount: 700, currency: "usd", customer: await createCustomer() })).id,
    write: (charge, options) => stripe.refunds.create({ charge, amount: 100 }, options),
    change: (charge) => stripe.refunds.create({ charge }),
  },
};

test.each(Object.entries(cases))("the same request again is answered as before: %s", async (name, of) => {
  const id = await of.prepare();
  const options = { idempotencyKey: `stored: ${name}` };
  const first = await of.write(id, options);
  await of.change(id);
  const again = await of.write(id, options);
  expect(again).toEqual(first);
  expect(Reflect.get(again, "lastResponse").headers["idempotent-replayed"]).toBe("true");
  if (!name.startsWith("a price")) expect(await failureOf(of.write(id, {}))).toBeInstanceOf(Stripe.errors.StripeError);
});

test("an invoice that was paid, then asked to be paid with the same key, with another and with none", async () => {
  const id = await createInvoice();
  const first = await stripe.invoices.pay(id, {}, { idempotencyKey: "stored-pay" });
  expect(await stripe.invoices.pay(id, {}, { idempotencyKey: "stored-pay" })).toEqual(first);
  for (const options of [{ idempotencyKey: "stored-pay-2" }, {}]) {
    expect(await failureOf(stripe.invoices.pay(id, {}, options))).toMatchObject({ statusCode: 400 });
  }
  const reused = await failureOf(stripe.invoices.pay(id, { paid_out_of_band: true }, { idempotencyKey: "stored-pay" }));
  expect(reused).toMatchObject({ statusCode: 400, type: "StripeIdempotencyError" });
});

test("a decline is answered again after the card, the customer and the invoice have changed", async () => {
  const customer = await createCustomer("tok_chargeCustomerFail");
  const { id } = await stripe.invoices.create({ customer });
  await stripe.invoiceItems.create({ customer, invoice: id, amount: 900, currency: "usd" });
  const pay = () => failureOf(stripe.invoices.pay(id, {}, { idempotencyKey: "stored-decline" }));
  const charge = () =>
    failureOf(stripe.charges.create({ amount: 700, currency: "usd", customer }, { idempotencyKey: "stored-402" }));
  const [paid, charged] = [await pay(), await charge()];
  expect([paid.statusCode, charged.statusCode]).toEqual([402, 402]);
  await stripe.invoices.pay(id, { paid_out_of_band: true });
  await stripe.customers.del(customer);
  expect((await pay()).charge).toBe(paid.charge);
  expect((await charge()).charge).toBe(charged.charge);
});

test("a subscription whose customer was deleted is answered again, as it is now", async () => {
  const customer = await createCustomer();
  const ask = () =>
    stripe.subscriptions.create({ customer, items: [{ price: gold.id }] }, { idempotencyKey: "stored-sub" });
  const first = await ask();
  await stripe.customers.del(customer);
  expect(await ask()).toMatchObject({ id: first.id, status: "canceled" });
});

test("a request that was refused leaves its key free, also for another request", async () => {
  const options = { idempotencyKey: "stored-free" };
  const refused = await failureOf(stripe.invoices.create({ customer: "cus_none" }, options));
  expect(refused).toMatchObject({ statusCode: 400, code: "resource_missing" });
  const customer = await createCustomer();
  expect(await stripe.invoices.create({ customer }, options)).toMatchObject({ status: "draft", customer });
});
