import { expect, test } from "vitest";
import { systemClock } from "../services/_runtime/clock.ts";
import { startBench } from "./testing/tripe.ts";

// A flood of links to PDFs, which need no key, beside merchants.
let delayMs = 0;
const bench = await startBench({ delayMs: ({ rpc }) => (rpc === "RenderInvoice" ? delayMs : 0) });
const stripe = await bench.stripe();
const customer = await stripe.customers.create({ email: "a@example.com", name: "Ann" });

async function makeInvoice() {
  const { id } = await stripe.invoices.create({
    customer: customer.id,
    collection_method: "send_invoice",
    days_until_due: 3,
  });
  await stripe.invoiceItems.create({ customer: customer.id, invoice: id, amount: 700, currency: "usd" });
  const open = await stripe.invoices.finalizeInvoice(id);
  return { id, url: new URL(String(open.invoice_pdf)).pathname };
}

const get = (
  url: string,
  more: { method?: "GET" | "HEAD"; headers?: Record<string, string>; remoteAddress?: string } = {},
) => bench.app.inject({ method: "GET", url, ...more });
const rpcs = (name: string) => bench.log.rpcs.filter(({ rpc }) => rpc === name).length;

test("one invoice asked for by many at once is read and printed once, charges beside it lose nothing", async () => {
  const { url } = await makeInvoice();
  delayMs = 200;
  try {
    const asked = Array.from({ length: 300 }, (_, at) => get(url, { remoteAddress: `10.0.0.${at % 250}` }));
    const charges = Array.from({ length: 20 }, () =>
      stripe.charges.create({ amount: 500, currency: "usd", source: "tok_visa" }),
    );
    for (const charge of await Promise.all(charges)) expect(charge.paid).toBe(true);
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200, 503]));
    expect(answers.find(({ statusCode }) => statusCode === 503)?.headers["retry-after"]).toBe("1");
    expect(rpcs("RenderInvoice")).toBe(1);
    expect(rpcs("GetInvoice")).toBeLessThan(10);
  } finally {
    delayMs = 0;
  }
});

test("a changed invoice is printed anew, an unchanged one is found again", async () => {
  const { id, url } = await makeInvoice();
  const before = rpcs("RenderInvoice");
  const first = await get(url);
  const again = await get(url);
  expect([again.statusCode, rpcs("RenderInvoice") - before]).toEqual([200, 1]);
  expect(again.rawPayload.equals(first.rawPayload)).toBe(true);
  await stripe.invoices.voidInvoice(id);
  const voided = await get(url);
  expect(voided.headers["etag"]).not.toBe(first.headers["etag"]);
  expect(rpcs("RenderInvoice") - before).toBe(2);
});

test("a request that comes while an invoice is read sees what was changed before it came", async () => {
  const { id, url } = await makeInvoice();
  const open = await get(url);
  const early = Array.from({ length: 3 }, () => get(url));
  await stripe.invoices.voidInvoice(id);
  expect((await get(url)).headers["etag"]).not.toBe(open.headers["etag"]);
  await Promise.all(early);
});

test("an ETag that is known is a 304 without a body, and HEAD is a GET without one", async () => {
  const { url } = await makeInvoice();
  const whole = await get(url);
  const etag = String(whole.headers["etag"]);
  for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const known = await get(url, { headers: { "if-none-match": tags } });
    expect([known.statusCode, known.body, known.headers["etag"]]).toEqual([304, "", etag]);
  }
  expect((await get(url, { headers: { "if-none-match": '"other"' } })).statusCode).toBe(200);
  const head = await get(url, { method: "HEAD" });
  expect([head.statusCode, head.body]).toEqual([200, ""]);
  expect(head.headers).toMatchObject({
    etag,
    "content-type": "application/pdf",
    "content-length": String(whole.rawPayload.length),
    "x-content-type-options": "nosniff",
  });
});

test("requests without a key are a hundred a second and client, and what is beyond is refused late", async () => {
  await systemClock.sleep(1_000);
  const startMs = systemClock.preciseMs();
  // No route: so cheap that a busy machine too answers more than a hundred in a second.
  const asked = Array.from({ length: 150 }, () => get("/nowhere", { remoteAddress: "10.0.1.1" }));
  const [others, health, merchant] = await Promise.all([
    get("/openapi.json", { remoteAddress: "10.0.1.2" }),
    get("/livez", { remoteAddress: "10.0.1.1" }),
    bench.ask({ method: "GET", url: "/v1/charges", remoteAddress: "10.0.1.1" }),
  ]);
  expect([others.statusCode, health.statusCode, merchant.status]).toEqual([200, 200, 200]);
  const statuses = (await Promise.all(asked)).map(({ statusCode }) => statusCode);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
  expect(statuses.filter((status) => status === 404).length).toBeGreaterThanOrEqual(100);
  expect(systemClock.preciseMs() - startMs).toBeGreaterThan(900);
});

test("different invoices have eight places, one client four", async () => {
  const invoices = await Promise.all(Array.from({ length: 10 }, makeInvoice));
  delayMs = 300;
  try {
    const one = await Promise.all(invoices.slice(0, 6).map(({ url }) => get(url, { remoteAddress: "10.0.0.1" })));
    expect(one.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 200, 200, 429, 429]);
    const all = await Promise.all(invoices.map(({ url }, at) => get(url, { remoteAddress: `10.0.0.${at}` })));
    expect(all.map(({ statusCode }) => statusCode).sort()).toEqual([...Array(8).fill(200), 503, 503]);
  } finally {
    delayMs = 0;
  }
});

test("a link with a wrong signature is read by nobody", async () => {
  const { url } = await makeInvoice();
  const before = rpcs("GetInvoice");
  const wrong = url.replace(/[^/]{4}\/pdf$/, "AAAA/pdf");
  expect((await get(wrong)).statusCode).toBe(404);
  expect(rpcs("GetInvoice")).toBe(before);
});
