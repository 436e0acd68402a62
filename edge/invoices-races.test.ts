import type Stripe from "stripe";
import { expect, test, vi } from "vitest";
import { failureOf } from "./testing/failure.ts";
import { startBench } from "./testing/tripe.ts";

vi.setConfig({ testTimeout: 60_000 });

const bench = await startBench();
const stripe = await bench.stripe({ maxNetworkRetries: 0 });
const customer = await stripe.customers.create({ email: "ann@example.com", source: "tok_visa" });
const card = await stripe.paymentMethods.attach("pm_card_mastercard", { customer: customer.id });

async function createOpen(): Promise<string> {
  const { id } = await stripe.invoices.create({ customer: customer.id, currency: "usd" });
  await stripe.invoiceItems.create({ customer: customer.id, invoice: id, amount: 700, currency: "usd" });
  return (await stripe.invoices.finalizeInvoice(id)).id;
}

/** How a call ended: the invoice's status, or the refusal's words. */
const endOf = (work: Promise<Stripe.Invoice>) =>
  work.then(
    ({ status }) => String(status),
    (error: Error) => error.message,
  );

test("of a payment and a void of one invoice at once, one wins, and the other is refused by the invoice's state", async () => {
  const ways: Stripe.InvoicePayParams[] = [{}, { payment_method: card.id }, { paid_out_of_band: true }];
  const ends: string[] = [];
  for (const params of [...ways, ...ways, ...ways, ...ways]) {
    const id = await createOpen();
    const [paid, voided] = await Promise.all([
      endOf(stripe.invoices.pay(id, params)),
      endOf(stripe.invoices.voidInvoice(id)),
    ]);
    const { status } = await stripe.invoices.retrieve(id);
    ends.push(String(status));
    expect(["paid", "void"]).toContain(status);
    const lost = status === "paid" ? voided : paid;
    // A void that comes while the charge is at the bank is refused for that.
    expect(lost).toMatch(/is not open|already paid|payment of the invoice is under way/);
    expect(status === "paid" ? paid : voided).toBe(status);
  }
  expect(ends).toHaveLength(12);
});

test("a payment of an invoice that was voided is refused as not open, whatever card it names", async () => {
  const id = await createOpen();
  await stripe.invoices.voidInvoice(id);
  for (const params of [{}, { payment_method: card.id }, { source: card.id }, { paid_out_of_band: true }]) {
    const { statusCode, message } = await failureOf(stripe.invoices.pay(id, params));
    expect([statusCode, message]).toEqual([400, expect.stringContaining("is not open")]);
  }
});
