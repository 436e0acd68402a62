import { expect, test } from "vitest";
import { addKey } from "./testing/keys.ts";
import { startBench } from "./testing/tripe.ts";

// A cursor that is no object of the account's has nothing before or after it, and is not silently the first page.
const bench = await startBench();
const { tripe } = bench;
const stripe = await bench.stripe();
const OTHER_KEY = "sk_live_cursors12345";
await addKey(tripe.database.urls.owner, { accountId: tripe.liveAccountId, text: OTHER_KEY });

const { id: customer } = await stripe.customers.create({ email: "ann@example.com", source: "tok_visa" });
await stripe.charges.create({ amount: 2_000, currency: "usd", customer });
await stripe.invoiceItems.create({ customer, amount: 1_000, currency: "usd" });
const { id: invoice } = await stripe.invoices.create({ customer, pending_invoice_items_behavior: "include" });

const get = async (url: string, key = tripe.secretKey) => bench.ask({ method: "GET", url, key });

test.each([
  ["/v1/charges", "charge"],
  [`/v1/charges?customer=${customer}`, "charge"],
  ["/v1/charges?created[gt]=1", "charge"],
  ["/v1/customers", "customer"],
  [`/v1/customers/${customer}/payment_methods`, "PaymentMethod"],
  [`/v1/customers/${customer}/sources`, "PaymentMethod"],
  [`/v1/payment_methods?customer=${customer}`, "PaymentMethod"],
  ["/v1/events", "event"],
  ["/v1/events?type=charge.succeeded", "event"],
  ["/v1/events?delivery_success=false", "event"],
  ["/v1/invoices", "invoice"],
  ["/v1/invoiceitems", "invoiceitem"],
  ["/v1/invoice_payments", "invoice payment"],
  [`/v1/invoices/${invoice}/lines`, "invoice line item"],
  ["/v1/prices", "price"],
  ["/v1/products", "product"],
  ["/v1/refunds", "refund"],
  ["/v1/subscriptions", "subscription"],
  ["/v1/webhook_endpoints", "webhook endpoint"],
])("%s after or before what is not there is a 400 that names it", async (url, noun) => {
  for (const [param, id] of [
    ["starting_after", "zz_nope"],
    ["ending_before", "aa_nope"],
  ] as const) {
    const { status, body } = await get(`${url}${url.includes("?") ? "&" : "?"}limit=1&${param}=${id}`);
    expect([status, body.error]).toEqual([
      400,
      expect.objectContaining({ code: "resource_missing", param, message: `No such ${noun}: '${id}'` }),
    ]);
  }
});

test("another account's object is no cursor, and a deleted customer and one's own last object are", async () => {
  const { body } = await get("/v1/charges?limit=1");
  const [charge] = body["data"] as { id: string }[];
  const after = `/v1/charges?starting_after=${charge?.id}`;
  expect(await get(after, OTHER_KEY)).toMatchObject({ status: 400, body: { error: { param: "starting_after" } } });
  expect(await get(after)).toMatchObject({ status: 200, body: { data: [], has_more: false } });
  const gone = await stripe.customers.create();
  await stripe.customers.del(gone.id);
  const { data } = await stripe.customers.list({ starting_after: gone.id });
  expect(data.map(({ id }) => id)).toEqual([customer]);
});
