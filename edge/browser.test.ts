import type { Page } from "playwright-core";
import { expect, test, vi } from "vitest";
import { edgeActions } from "../services/_runtime/config.ts";
import { hasBrowser, openPage } from "./testing/browser.ts";
import { failureOf } from "./testing/failure.ts";
import { addKey } from "./testing/keys.ts";
import { startBench } from "./testing/tripe.ts";

// A browser that was never started on this machine takes some seconds to come up.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const bench = await startBench();
const publishableKey = "pk_test_browser12345678";
await addKey(bench.tripe.database.urls.owner, {
  accountId: bench.tripe.accountId,
  text: publishableKey,
  kind: "publishable",
});
const card = "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=314";

test("a preflight of a publishable route is answered without a key, and of no other route", async () => {
  const ask = (url: string) =>
    bench.ask({ method: "OPTIONS", url, key: null, headers: { origin: "https://shop.example" } });
  for (const url of ["/v1/tokens", "/v1/payment_methods"]) {
    const { status, headers } = await ask(url);
    expect(status).toBe(204);
    expect(headers).toMatchObject({ "access-control-allow-origin": "*", "access-control-allow-methods": "POST" });
    expect(headers).not.toHaveProperty("access-control-allow-credentials");
  }
  for (const url of ["/v1/charges", "/v1/customers", "/v1/tokens/tok_1", "/healthz"]) {
    const { status, headers } = await ask(url);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(headers).not.toHaveProperty("access-control-allow-origin");
  }
});

test("errors of a publishable route can be read by a page too", async () => {
  const refused = await bench.ask({ method: "POST", url: "/v1/tokens", key: null });
  expect(refused).toMatchObject({ status: 401, headers: { "access-control-allow-origin": "*" } });
  const { headers } = await bench.ask({ method: "POST", url: "/v1/customers" });
  expect(headers).not.toHaveProperty("access-control-allow-origin");
});

test("a publishable key cannot retrieve a token", async () => {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const token = await bench.ask({ method: "POST", url: "/v1/tokens", key: publishableKey, payload: card, headers });
  const read = await bench.ask({ method: "GET", url: `/v1/tokens/${String(token.body["id"])}`, key: publishableKey });
  expect(read.status).toBe(403);
});

test("a page uses up no Idempotency-Key of the merchant's own program", async () => {
  const headers = { "content-type": "application/x-www-form-urlencoded", "idempotency-key": "order-1" };
  const page = { method: "POST", url: "/v1/tokens", key: publishableKey, payload: card, headers } as const;
  const token = await bench.ask(page);
  const payload = "amount=700&currency=usd&source=tok_visa";
  const charged = await bench.ask({ method: "POST", url: "/v1/charges", payload, headers });
  expect(charged).toMatchObject({ status: 200, body: { status: "succeeded" } });
  const again = await bench.ask(page);
  expect(again.headers).toMatchObject({ "idempotent-replayed": "true" });
  expect(again.body["id"]).toBe(token.body["id"]);
});

// Pages come from other addresses, over TLS to a proxy: card numbers are taken from nowhere else.
const proxied = bench.edgeOf(edgeActions, { trustedProxies: ["127.0.0.1"] });
const address = (last: number) => ({
  "content-type": "application/x-www-form-urlencoded",
  "x-forwarded-for": `10.1.0.${last}`,
  "x-forwarded-proto": "https",
});

async function tokenOf(number: string, cvc: string, headers = address(1)): Promise<Record<string, unknown>> {
  const payload = `card[number]=${number}&card[exp_month]=12&card[exp_year]=2034&card[cvc]=${cvc}`;
  const { body } = await proxied.ask({ method: "POST", url: "/v1/tokens", key: publishableKey, headers, payload });
  return body;
}

test("a page's card is verified at the bank when it is first used, by a charge", async () => {
  const stripe = await bench.stripe();
  for (const [number, check] of [
    ["4242424242424242", "pass"],
    ["4000000000000101", "fail"],
  ] as const) {
    const token = await tokenOf(number, "314");
    expect((token["card"] as { cvc_check: string }).cvc_check).toBe("unchecked");
    const charge = await stripe.charges.create({ amount: 700, currency: "usd", source: String(token["id"]) });
    expect(charge.payment_method_details?.card?.checks?.cvc_check).toBe(check);
  }
  const verified = bench.log.rpcs.filter(({ rpc }) => rpc === "VerifyPaymentMethod");
  expect(verified).toHaveLength(2);
});

test("a page does not learn from its token what became of the card", async () => {
  const stripe = await bench.stripe();
  const token = String((await tokenOf("4242424242424242", "314"))["id"]);
  const page = { method: "POST", url: "/v1/payment_methods", key: publishableKey, headers: address(1) } as const;
  const show = async (more = "") => await proxied.ask({ ...page, payload: `type=card&card[token]=${token}${more}` });
  const before = await show();
  const customer = await stripe.customers.create({ source: token });
  const own = await stripe.paymentMethods.create({ type: "card", card: { token } });
  expect(own).toMatchObject({ customer: customer.id, card: { checks: { cvc_check: "pass" } } });
  const after = await show();
  expect(after.body).toEqual(before.body);
  expect(after.body).toMatchObject({ customer: null, card: { checks: { cvc_check: "unchecked" } } });
  expect(await show("&expand[]=customer")).toMatchObject({ status: 403 });
});

test("a page's card that the bank declines is made into a token, and refused when it is given to a customer", async () => {
  const stripe = await bench.stripe();
  const { id } = await stripe.customers.create({ email: "ann@example.com" });
  const attempts = [
    (source: string) => stripe.customers.create({ source }),
    (source: string) => stripe.customers.update(id, { source }),
    (source: string) => stripe.customers.createSource(id, { source }),
  ];
  for (const attempt of attempts) {
    const token = await tokenOf("4000000000000002", "314");
    expect(token["id"]).toMatch(/^tok_/);
    const { statusCode, code } = await failureOf(attempt(String(token["id"])));
    expect([statusCode, code]).toEqual([402, "card_declined"]);
  }
  const good = await tokenOf("5555555555554444", "314");
  const source = await stripe.customers.createSource(id, { source: String(good["id"]) });
  expect(source).toMatchObject({ object: "card", cvc_check: "pass" });
  const page = { key: publishableKey, headers: address(1) };
  const made = await proxied.ask({
    ...{ method: "POST", url: "/v1/payment_methods", ...page },
    payload: `type=card&${card}`,
  });
  const attached = await stripe.paymentMethods.attach(String(made.body["id"]), { customer: id });
  expect(attached.card?.checks?.cvc_check).toBe("pass");
});

test("an address gives at most twenty cards a minute with publishable keys; a merchant's own program any number", async () => {
  const answers = await Promise.all(Array.from({ length: 25 }, () => tokenOf("4242424242424242", "314", address(2))));
  expect(answers.filter((body) => body["object"] === "token")).toHaveLength(20);
  expect((await tokenOf("4242424242424242", "314", address(3)))["object"]).toBe("token");
  const own = await Promise.all(
    Array.from({ length: 25 }, () =>
      proxied.ask({ method: "POST", url: "/v1/tokens", headers: address(2), payload: card }),
    ),
  );
  expect(new Set(own.map(({ status }) => status))).toEqual(new Set([200]));
});

test.skipIf(hasBrowser)("chromium is not installed: what a page of another origin may do is not tried", () => {});

/** What a page finds: the status, the Request-Id and the body, or why the browser keeps the answer from it. */
interface Found {
  readonly status?: number;
  readonly requestId?: string | null;
  readonly body?: { readonly id?: string; readonly used?: boolean };
  readonly error?: string;
}

test.runIf(hasBrowser)(
  "a page of another origin turns a card into a token with a publishable key, and opens nothing else",
  async () => {
    const stripe = await bench.stripe();
    const before = (await stripe.charges.list()).data.map(({ id }) => id);
    const address = bench.app.server.address();
    const base = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    const page = await openPage();
    const ask = (method: string, path: string, key: string, body?: string) =>
      fetchFrom(page, { url: `${base}${path}`, method, key, body });
    const made = await ask("POST", "/v1/tokens", publishableKey, card);
    expect(made).toMatchObject({ status: 200, body: { used: false } });
    expect(made.body?.id).toMatch(/^tok_/);
    expect(made.requestId).toMatch(/^req_/);
    const wrong = await ask("POST", "/v1/tokens", publishableKey, card.replace("4242&", "4241&"));
    expect(wrong.status).toBe(402);
    const closed = [
      ["POST", "/v1/charges", `amount=100&currency=usd&source=${made.body?.id}`],
      ["GET", "/v1/charges"],
      ["GET", `/v1/tokens/${made.body?.id}`],
      ["POST", "/v1/customers", "email=a@example.com"],
      ["GET", "/v1/payment_methods"],
    ] as const;
    for (const [method, path, body] of closed) {
      for (const key of [publishableKey, bench.tripe.secretKey]) {
        expect(await ask(method, path, key, body), `${method} ${path}`).toMatchObject({ error: "Failed to fetch" });
      }
    }
    expect((await stripe.charges.list()).data.map(({ id }) => id)).toEqual(before);
  },
);

function fetchFrom(
  page: Page,
  request: { url: string; method: string; key: string; body: string | undefined },
): Promise<Found> {
  return page.evaluate(async ({ url, method, key, body }): Promise<Found> => {
    try {
      const response = await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
        },
        ...(body === undefined ? {} : { body }),
      });
      const requestId = response.headers.get("request-id");
      return { status: response.status, requestId, body: (await response.json()) as Found["body"] } as Found;
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }, request);
}
