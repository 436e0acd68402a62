import type Stripe from "stripe";
import { expect, test, vi } from "vitest";
import { failureOf } from "./testing/failure.ts";
import { startBench } from "./testing/tripe.ts";

// What an invoice is composed of: items of their own period and metadata, and the subscription it bills.
vi.setConfig({ testTimeout: 30_000 });

const bench = await startBench();
const stripe = await bench.stripe();
const customer = await stripe.customers.create({ email: "ann@example.com", source: "tok_visa" });
const other = await stripe.customers.create({ email: "bob@example.com" });
const createDraft = () => stripe.invoices.create({ customer: customer.id, currency: "usd" });
const [januaryStart, januaryEnd] = [1_767_225_600, 1_769_904_000];

async function refusalOf(params: Stripe.InvoiceItemCreateParams) {
  const { statusCode, type, code, param, headers } = await failureOf(stripe.invoiceItems.create(params));
  return { statusCode, type, code, param, retry: headers?.["stripe-should-retry"] };
}

test("an item that does not fit the draft it names is refused at once, and never to be tried again", async () => {
  const draft = await createDraft();
  const refused = { statusCode: 400, type: "StripeInvalidRequestError", code: undefined, retry: undefined };
  const item = { customer: customer.id, invoice: draft.id, amount: 500, currency: "usd" };
  for (const currency of ["eur", "jpy", "kwd"]) {
    expect(await refusalOf({ ...item, currency, amount: 1_000 })).toEqual({ ...refused, param: "currency" });
  }
  expect(await refusalOf({ ...item, customer: other.id })).toEqual({ ...refused, param: "invoice" });
  const { id: price } = await stripe.prices.create({ currency: "eur", unit_amount: 700, product_data: { name: "P" } });
  const priced = { customer: customer.id, invoice: draft.id, pricing: { price } };
  expect(await refusalOf(priced)).toEqual({ ...refused, param: "currency" });
  expect((await stripe.invoices.retrieve(draft.id)).lines.data).toEqual([]);
});

test("an item made on a draft gives its line its period and its metadata", async () => {
  const draft = await createDraft();
  const item = { customer: customer.id, invoice: draft.id, currency: "usd" };
  const period = { start: januaryStart, end: januaryEnd };
  await stripe.invoiceItems.create({ ...item, amount: 900, period, metadata: { a: "1" } });
  await stripe.invoiceItems.create({ ...item, amount: -100, period: { start: januaryStart, end: januaryStart } });
  const bare = await stripe.invoiceItems.create({ ...item, amount: 50 });
  const lines = (await stripe.invoices.retrieve(draft.id)).lines.data;
  expect(lines.map((line) => line.period)).toEqual([
    period,
    { start: januaryStart, end: januaryStart },
    { start: bare.period.start, end: bare.period.end },
  ]);
  expect(lines[0]?.metadata).toEqual({ a: "1" });
  const text = await printed(draft.id);
  expect(text).toContain("Jan 1");
});

test("the metadata of a draft's line follows its item", async () => {
  const draft = await createDraft();
  const item = { customer: customer.id, invoice: draft.id, amount: 100, currency: "usd" };
  const { id } = await stripe.invoiceItems.create({ ...item, metadata: { a: "1", b: "2" } });
  const metadataAfter = async (metadata: Stripe.Emptyable<Stripe.MetadataParam>) => {
    await stripe.invoiceItems.update(id, { metadata });
    return (await stripe.invoices.retrieve(draft.id)).lines.data[0]?.metadata;
  };
  expect(await metadataAfter({ z: "1" })).toEqual({ a: "1", b: "2", z: "1" });
  expect(await metadataAfter({ a: "", b: "3" })).toEqual({ b: "3", z: "1" });
  expect(await metadataAfter("")).toEqual({});
});

test("a subscription's invoice shows the subscription's metadata, as of its finalization", async () => {
  const { id: price } = await stripe.prices.create({
    currency: "usd",
    unit_amount: 1_000,
    recurring: { interval: "month" },
    product_data: { name: "Gold" },
  });
  const created = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price }],
    metadata: { plan: "x" },
    expand: ["latest_invoice"],
  });
  const invoice = created.latest_invoice as Stripe.Invoice;
  expect(invoice.parent?.subscription_details?.metadata).toEqual({ plan: "x" });
  expect(invoice.lines.data[0]?.metadata).toEqual({ plan: "x" });
  // The first invoice of a subscription took no items up before it was made.
  expect([invoice.period_start, invoice.period_end]).toEqual([invoice.created, invoice.created]);
  await stripe.subscriptions.update(created.id, { metadata: { plan: "y", more: "1" } });
  const later = await stripe.invoices.retrieve(invoice.id);
  expect(later.parent?.subscription_details?.metadata).toEqual({ plan: "x" });
  expect((await stripe.invoices.listLineItems(invoice.id)).data[0]?.metadata).toEqual({ plan: "x" });
  const { data } = await stripe.events.list({ type: "invoice.finalized", limit: 1 });
  const told = data[0]?.data.object as Stripe.Invoice;
  expect(told.parent?.subscription_details?.metadata).toEqual({ plan: "x" });
});

/** The text of an invoice's PDF, once it is finalized. */
async function printed(invoiceId: string): Promise<string> {
  const { invoice_pdf: url } = await stripe.invoices.finalizeInvoice(invoiceId);
  const { getDocument } = await import("pdfjs-dist/legacy/build/pdf.mjs");
  const data = new Uint8Array(await (await fetch(url ?? "")).arrayBuffer());
  const page = await (await getDocument({ data }).promise).getPage(1);
  const { items } = await page.getTextContent();
  return items.map((item) => ("str" in item ? item.str : "")).join(" ");
}
