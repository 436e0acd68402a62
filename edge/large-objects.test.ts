import { afterAll, expect, test, vi } from "vitest";
import { Sweep } from "../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { refusalOf } from "../services/_runtime/errors.ts";
import { startTestScheduler } from "../services/scheduler/testing/billing.ts";
import { startMerchant } from "../services/webhooks/testing/merchant.ts";
import { startBench } from "./testing/tripe.ts";

vi.setConfig({ testTimeout: 120_000 });

const bench = await startBench({ wiring: "grpc" });
const stripe = await bench.stripe();
const merchant = await startMerchant((_request, response) => response.writeHead(200).end("ok"));
afterAll(() => merchant.close());

/** As much as an object may be told, in words that JSON makes twice as long. */
const metadataOf = (keys: number) =>
  Object.fromEntries(Array.from({ length: keys }, (_, key) => [`key-${key}`, "\\".repeat(500)]));

test("customers as large as they may be are listed, and so are their events, in pages that end early", async () => {
  const metadata = Object.fromEntries(Array.from({ length: 50 }, (_, key) => [`key-${key}`, "x".repeat(500)]));
  const made: string[] = [];
  for (let index = 0; index < 100; index += 1) made.push((await stripe.customers.create({ metadata })).id);
  const page = await stripe.customers.list({ limit: 100 });
  expect(page.data.map(({ id }) => id)).toEqual(made.toReversed());
  for (const id of made) await stripe.customers.update(id, { name: "Ann" });
  const events = await stripe.events.list({ limit: 100 });
  expect([events.data.length < 100, events.data.length > 50, events.has_more]).toEqual([true, true, true]);
  const all = await stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 });
  expect(new Set(all.map(({ id }) => id)).size).toBe(200);
  const type = "customer.updated";
  expect(await stripe.events.list({ type, limit: 100 }).autoPagingToArray({ limit: 1_000 })).toHaveLength(100);
  const oldest = all.at(-1)?.id ?? "";
  const back: string[] = [];
  for (let cursor = oldest; cursor !== ""; ) {
    const { data, has_more: hasMore } = await stripe.events.list({ limit: 100, ending_before: cursor });
    back.unshift(...data.map(({ id }) => id));
    cursor = hasMore ? (data[0]?.id ?? "") : "";
  }
  expect([...back, oldest]).toEqual(all.map(({ id }) => id));
});

test("an invoice as large as it may be is made, finalized, read, listed, voided and delivered; a larger one is refused by name", async () => {
  const { id: customer } = await stripe.customers.create({ name: "Ann" });
  const endpoint = await stripe.webhookEndpoints.create({
    url: `http://127.0.0.1:${merchant.port}/hook`,
    enabled_events: ["invoice.created", "invoice.updated", "invoice.voided"],
  });
  const metadata = metadataOf(40);
  const add = () => stripe.invoiceItems.create({ customer, amount: 1_000, currency: "usd", metadata });
  for (let index = 0; index < 51; index += 1) await add();
  await expect(add()).rejects.toMatchObject({ statusCode: 400, param: "metadata" });
  const { accountId } = bench.tripe;
  const item = { invoiceItemId: "ii_large", customerId: customer, currencyCode: "USD", amountMinor: 1n, metadata };
  const asked = { accountId, requestId: "large", requestDigest: new Uint8Array([1]), invoiceItem: item };
  const refusal = await bench.tripe.clientsOf("edge").writer.createInvoiceItem(asked).catch(refusalOf);
  expect(refusal).toMatchObject({ reason: "INVOICE_TEXT_TOO_LONG", field: "metadata" });
  const { id = "" } = await stripe.invoices.create({
    customer,
    auto_advance: false,
    pending_invoice_items_behavior: "include",
  });
  await expect(
    stripe.invoiceItems.create({ customer, amount: 1, currency: "usd", invoice: id, metadata }),
  ).rejects.toMatchObject({ statusCode: 400, param: "metadata" });
  expect(await stripe.invoices.finalizeInvoice(id)).toMatchObject({ status: "open", total: 51_000 });
  expect(await stripe.invoices.retrieve(id)).toMatchObject({ status: "open" });
  expect((await stripe.invoices.list({ limit: 100 })).data.map((one) => one.id)).toEqual([id]);
  expect(await stripe.invoices.voidInvoice(id)).toMatchObject({ status: "void" });
  const told = await stripe.events.list({ type: "invoice.updated" }).autoPagingToArray({ limit: 100 });
  expect(told.length).toBeGreaterThan(0);
  const scheduler = startTestScheduler(bench.tripe);
  await vi.waitUntil(
    async () => {
      await scheduler.run(Sweep.EVENTS);
      await scheduler.run(Sweep.DELIVERIES);
      // Deliveries of one sweep arrive in any order.
      const types = merchant.received.map(({ body }) => JSON.parse(String(body)).type);
      return ["invoice.voided", "invoice.updated"].every((type) => types.includes(type));
    },
    { timeout: 60_000, interval: 200 },
  );
  const updates = merchant.received.filter(({ body }) => JSON.parse(String(body)).type === "invoice.updated");
  expect(Math.max(...updates.map(({ body }) => body.length))).toBeGreaterThan(400_000);
  await stripe.webhookEndpoints.del(endpoint.id);
});
