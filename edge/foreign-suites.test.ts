import { expect, test } from "vitest";
import { startBench } from "./testing/tripe.ts";

// What suites, SDKs and tools written for Stripe hold its answers to, beyond the parameters: codes, params, statuses, orders.
const bench = await startBench();
const stripe = await bench.stripe({ maxNetworkRetries: 0 });
const form = { "content-type": "application/x-www-form-urlencoded" };
const json = { "content-type": "application/json" };

function post(url: string, payload: string, headers: Record<string, string> = form) {
  return bench.ask({ method: "POST", url, payload, headers });
}

const idOf = async (url: string, payload: string) => String((await post(url, payload)).body["id"]);

const customerId = await idOf("/v1/customers", "source=tok_visa");
const other = (await post("/v1/customers", "source=tok_visa")).body;
const chargeId = await idOf("/v1/charges", "amount=2000&currency=usd&source=tok_visa");

test.each(["2019-01-01", "2026-10-28.endive", "2027-01-01.fable", "nonsense"])(
  "the header names the version that was served, whatever is asked for: %s",
  async (version) => {
    const { headers } = await bench.ask({ method: "GET", url: "/v1/charges", headers: { "stripe-version": version } });
    expect(headers["stripe-version"]).toBe("2026-10-28.endive");
  },
);

test.each([
  ["usd", 5, "$0.50 usd"],
  ["usd", 49, "$0.50 usd"],
  ["gbp", 29, "£0.30 gbp"],
  ["jpy", 49, "¥50 jpy"],
  ["bhd", 990, "BHD 1.000"],
])("a capture below the minimum of %s is refused: %i", async (currency, amount, least) => {
  const id = await idOf("/v1/charges", `amount=9000&currency=${currency}&source=tok_visa&capture=false`);
  const { status, body } = await post(`/v1/charges/${id}/capture`, `amount=${amount}`);
  expect([status, body.error]).toMatchObject([400, { code: "amount_too_small", param: "amount" }]);
  expect(body.error?.["message"]).toBe(`Amount must be at least ${least}`);
  const whole = await post(`/v1/charges/${id}/capture`, "");
  expect([whole.status, whole.body["amount_captured"]]).toEqual([200, 9000]);
});

test.each<[string, string, string, number, object]>([
  ["a capture", "/v1/charges/ch_nope/capture", "", 404, { code: "resource_missing", param: "charge" }],
  ["a refund", "/v1/refunds", "charge=ch_nope", 404, { code: "resource_missing", param: "id" }],
  ["a return", "/v1/returns", "charge=ch_nope&amount=5", 404, { code: "resource_missing", param: "id" }],
])("%s of an unknown charge is a 404", async (_name, url, payload, status, error) => {
  const answer = await post(url, payload);
  expect([answer.status, answer.body.error]).toEqual([status, expect.objectContaining(error)]);
});

test("refunds of what cannot be refunded name no param", async () => {
  await post("/v1/refunds", `charge=${chargeId}`);
  const again = await post("/v1/refunds", `charge=${chargeId}`);
  expect(again.body.error).toMatchObject({ code: "charge_already_refunded" });
  const { charge: failedId } = (await post("/v1/charges", "amount=500&currency=usd&source=tok_chargeDeclined")).body
    .error as { charge: string };
  const failed = await post("/v1/refunds", `charge=${failedId}`);
  expect(failed.body.error).toMatchObject({ code: "charge_not_refundable" });
  for (const { status, body } of [again, failed]) expect([status, body.error?.["param"]]).toEqual([400, undefined]);
});

test.each([
  ["source", String(other["default_source"])],
  ["source", "card_nope"],
  ["source", "tok_visa"],
  ["source", "tok_nope"],
  ["payment_method", String(other["default_source"])],
  ["payment_method", "pm_nope"],
])("a customer is not charged by a card that it does not have: %s=%s", async (param, card) => {
  const { status, body } = await post("/v1/charges", `amount=500&currency=usd&customer=${customerId}&${param}=${card}`);
  expect([status, body.error]).toMatchObject([404, { code: "missing", param, type: "invalid_request_error" }]);
  expect(body.error?.["message"]).toBe(`Customer ${customerId} does not have a linked source with ID ${card}.`);
});

test.each([
  ["default_source", "card_nope", "source"],
  ["default_source", String(other["default_source"]), "source"],
  ["default_source", "nonsense", "source"],
  ["invoice_settings[default_payment_method]", "pm_nope", "invoice_settings[default_payment_method]"],
  [
    "invoice_settings[default_payment_method]",
    String(other["default_source"]),
    "invoice_settings[default_payment_method]",
  ],
])("a default that the customer does not have is missing: %s=%s", async (name, card, param) => {
  const { status, body } = await post(`/v1/customers/${customerId}`, `${name}=${card}`);
  expect([status, body.error]).toMatchObject([400, { code: "resource_missing", param }]);
});

test("of a customer's expanded sources the default comes first, then the newest, however many there are", async () => {
  const { id, default_source: first } = await stripe.customers.create({ source: "tok_visa" });
  const second = await stripe.customers.createSource(id, { source: "tok_mastercard" });
  const expanded = async () => (await stripe.customers.retrieve(id, { expand: ["sources"] })) as { sources?: unknown };
  const idsOf = ({ sources }: { sources?: unknown }) =>
    (sources as { data: { id: string }[] }).data.map((card) => card.id);
  expect(idsOf(await expanded())).toEqual([first, second.id]);
  const changed = await stripe.customers.update(id, { default_source: second.id, expand: ["sources"] });
  expect(idsOf(changed)).toEqual([second.id, first]);
  await stripe.customers.update(id, { default_source: String(first) });
  for (let more = 0; more < 9; more += 1) await stripe.customers.createSource(id, { source: "tok_visa" });
  const ids = idsOf(await expanded());
  expect([ids.length, ids[0], ids.includes(second.id)]).toEqual([10, first, false]);
});

test.each([
  ["/v1/tokens", { card: { number: false, exp_month: 12, exp_year: 2034 } }, "card[number]"],
  ["/v1/charges", { amount: 500, currency: true, source: "tok_visa" }, "currency"],
  ["/v1/charges", { amount: 500, currency: "usd", source: true }, "source"],
  ["/v1/customers", { name: false }, "name"],
  ["/v1/customers", { address: { line1: true } }, "address[line1]"],
  ["/v1/webhook_endpoints", { url: true, enabled_events: ["*"] }, "url"],
])("true and false are no texts in JSON: %s %j", async (url, payload, param) => {
  const { status, body } = await post(url, JSON.stringify(payload), json);
  expect([status, body.error]).toMatchObject([400, { type: "invalid_request_error", param }]);
});

test("a key that JSON has twice is refused by name before anything is made", async () => {
  const body = '{"amount":500,"amount":5000,"currency":"usd","source":"tok_visa"}';
  const answer = await post("/v1/charges", body, json);
  expect([answer.status, answer.body.error]).toMatchObject([400, { param: "amount" }]);
});

test.each([
  ["POST", "/v1/payment_intents", 404, "POST /v1/charges"],
  ["POST", "/v1/checkout/sessions", 404, "does not offer /v1/checkout"],
  ["GET", "/v1/charges/search", 404, "does not offer /v1/charges/search"],
  ["POST", "/v1/invoices/create_preview", 404, "does not offer"],
  ["GET", "/v1/nowhere", 404, "Unrecognized request URL"],
] as const)("%s %s says what Tripe does not offer", async (method, url, status, words) => {
  const { status: given, body } = await bench.ask({ method, url });
  expect([given, body.error?.["message"]]).toEqual([status, expect.stringContaining(words)]);
});

test("a slash at the end is none, but an SDK's empty id is neither a list nor a new object", async () => {
  const listed = await bench.ask({ method: "GET", url: "/v1/charges/?limit=1" });
  expect([listed.status, listed.body["object"]]).toEqual([200, "list"]);
  expect((await post("/v1/customers/", "name=Ann")).body["object"]).toBe("customer");
  expect((await bench.ask({ method: "GET", url: `/v1/charges/${chargeId}/` })).body["id"]).toBe(chargeId);
  await expect(stripe.charges.retrieve("")).rejects.toMatchObject({ statusCode: 404 });
  await expect(stripe.customers.update("", { name: "Ann" })).rejects.toMatchObject({ statusCode: 404 });
  await expect(stripe.customers.del("")).rejects.toMatchObject({ statusCode: 404 });
});

test.each<[string, string, string]>([
  ["a charge", "/v1/charges", "amount=500&currency=usd&source=tok_visa"],
  ["a declined charge", "/v1/charges", "amount=500&currency=usd&source=tok_chargeDeclined"],
  ["a customer with a card", "/v1/customers", "source=tok_visa"],
  ["a product", "/v1/products", "name=Gold"],
])("an answer that is replayed names the request that it was first given to: %s", async (name, url, payload) => {
  const keyed = { ...form, "idempotency-key": `original ${name}` };
  const first = await post(url, payload, keyed);
  const again = await post(url, payload, keyed);
  expect(first.headers["original-request"]).toBe(first.headers["request-id"]);
  expect(again.headers).toMatchObject({
    "idempotent-replayed": "true",
    "original-request": first.headers["request-id"],
  });
  expect(again.headers["request-id"]).not.toBe(first.headers["request-id"]);
  expect((await post("/v1/products", "name=Silver")).headers["original-request"]).toBeUndefined();
});
