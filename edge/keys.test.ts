import { expect, test } from "vitest";
import { selectRows } from "../services/transactions/testing.ts";
import { addKey, type TestKey } from "./testing/keys.ts";
import { startBench } from "./testing/tripe.ts";

const bench = await startBench();
const { accountId, database } = bench.tripe;
const stripe = await bench.stripe();
const customer = await stripe.customers.create({ email: "ann@example.com", source: "tok_visa" });
const charge = await stripe.charges.create({ amount: 1_000, currency: "usd", customer: customer.id });

let made = 0;
async function createKey(change: Omit<TestKey, "accountId" | "text">): Promise<string> {
  made += 1;
  const text = `${change.kind === "restricted" ? "rk" : "sk"}_test_keys${made}12345678`;
  await addKey(database.urls.owner, { accountId, text, ...change });
  return text;
}

/** Asks with a key; the answer's status and, of a refusal, its words. */
async function ask(key: string, method: "DELETE" | "GET" | "POST", url: string, payload = "") {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const { status, body } = await bench.ask({ method, url, key, headers, ...(payload !== "" && { payload }) });
  const { code, message } = body.error ?? {};
  return { status, code, message };
}

test("an expired key and a revoked one are refused in words of their own", async () => {
  const expired = await ask(await createKey({ expiresInS: -1 }), "GET", "/v1/charges");
  expect(expired).toEqual({ status: 401, code: "api_key_expired", message: "Expired API Key provided." });
  const revoked = await ask(await createKey({ isRevoked: true }), "GET", "/v1/charges");
  expect(revoked).toMatchObject({ status: 401, code: "api_key_expired", message: expect.stringMatching(/^Revoked/) });
});

test("a restricted key does what its scopes list, and the refusal names the scope that is missing", async () => {
  const key = await createKey({ kind: "restricted", scopes: ["charges:write", "returns:read"] });
  expect((await ask(key, "GET", `/v1/charges/${charge.id}`)).status).toBe(200);
  expect((await ask(key, "POST", `/v1/charges/${charge.id}`, "description=x")).status).toBe(200);
  expect((await ask(key, "GET", "/v1/refunds")).status).toBe(200);
  expect((await ask(key, "GET", "/v1/returns")).status).toBe(200);
  const refused = [
    ["POST", "/v1/refunds", `charge=${charge.id}`, "returns:write"],
    ["POST", "/v1/returns", `charge=${charge.id}`, "returns:write"],
    ["GET", `/v1/customers/${customer.id}`, "", "customers:read"],
    ["DELETE", `/v1/customers/${customer.id}`, "", "customers:write"],
    ["POST", "/v1/tokens", "card[number]=4242424242424242", "customers:write"],
    ["GET", "/v1/events", "", "events:read"],
    ["POST", "/v1/webhook_endpoints", "url=https://example.com", "webhook_endpoints:write"],
    ["POST", "/v1/invoices", `customer=${customer.id}`, "invoices:write"],
    ["GET", "/v1/prices", "", "subscriptions:read"],
  ] as const;
  for (const [method, url, payload, scope] of refused) {
    const { status, message } = await ask(key, method, url, payload);
    expect([status, String(message).includes(`'${scope}'`)], `${method} ${url}`).toEqual([403, true]);
  }
  expect((await stripe.refunds.list()).data).toEqual([]);
});

test("a restricted key expands only what it may read", async () => {
  const key = await createKey({ kind: "restricted", scopes: ["charges:read", "invoices:read"] });
  const refused = [
    `/v1/charges/${charge.id}?expand[]=customer`,
    "/v1/charges?expand[]=data.customer",
    "/v1/charges?expand[]=data.refunds",
    "/v1/invoices?expand[]=data.parent.subscription_details.subscription",
  ];
  for (const url of refused) expect((await ask(key, "GET", url)).status, url).toBe(403);
  expect((await ask(key, "GET", `/v1/charges/${charge.id}?expand[]=balance_transaction`)).status).toBe(200);
  const more = await createKey({ kind: "restricted", scopes: ["charges:read", "customers:read"] });
  expect((await ask(more, "GET", "/v1/charges?expand[]=data.customer")).status).toBe(200);
});

test("a secret key that comes from a page is an alert, one for each key; a publishable one is none", async () => {
  const secret = await createKey({});
  const publishable = await createKey({ kind: "publishable" });
  const post = (key: string, url: string) => {
    const headers = { "content-type": "application/x-www-form-urlencoded", origin: "https://shop.example" };
    return bench.ask({ method: "POST", url, key, headers, payload: "" });
  };
  await Promise.all([post(secret, "/v1/customers"), post(secret, "/v1/customers"), post(publishable, "/v1/tokens")]);
  const text = `select k.last4 from tripe.alert l join tripe.api_key k on k.api_key_id = l.object_id
    where l.reason = 'SECRET_KEY_IN_BROWSER'`;
  await expect.poll(() => selectRows(bench.tripe, text)).toEqual([{ last4: secret.slice(-4) }]);
});
