import { expect, test } from "vitest";
import { edgeActions } from "../services/_runtime/config.ts";
import { selectRows } from "../services/transactions/testing.ts";
import { addKey } from "./testing/keys.ts";
import { type Asked, startBench, type TestEdge } from "./testing/tripe.ts";

const bench = await startBench();
const { tripe } = bench;
const key = "sk_live_edge12345678";
await addKey(tripe.database.urls.owner, { accountId: tripe.liveAccountId, text: key });
const proxied = bench.edgeOf(edgeActions, { trustedProxies: ["10.0.0.1"] });
const bankless = bench.edgeOf(edgeActions, { hasLiveBank: false });

const form = { "content-type": "application/x-www-form-urlencoded" };
const typed = "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=314";

/** The status, and of a refusal its words. */
async function ask(asked: Asked, edge: TestEdge = bench): Promise<[number, string]> {
  const { status, body } = await edge.ask({ ...asked, headers: { ...form, ...asked.headers } });
  return [status, String(body.error?.["message"] ?? "")];
}

test("a live account is charged at its own bank", async () => {
  const made = await bench.ask({ method: "POST", url: "/v1/tokens", key, payload: typed, headers: form });
  const payload = `amount=700&currency=usd&source=${String(made.body["id"])}`;
  const charged = await bench.ask({ method: "POST", url: "/v1/charges", key, payload, headers: form });
  expect(charged.body).toMatchObject({ status: "succeeded", livemode: true });
  await (await bench.stripe()).charges.create({ amount: 800, currency: "usd", source: "tok_visa" });
  const rows = await selectRows(tripe, "select account_id, bank from tripe.attempt order by create_time");
  expect(rows).toEqual([
    { account_id: tripe.liveAccountId, bank: "live" },
    { account_id: tripe.accountId, bank: "sandbox" },
  ]);
});

test("without a bank for live accounts, what needs one is refused by name, and the rest is served", async () => {
  const needs = [
    ["/v1/tokens", typed],
    ["/v1/payment_methods", `type=card&${typed}`],
    ["/v1/charges", "amount=700&currency=usd&source=tok_1"],
    ["/v1/charges/ch_1/capture", ""],
    ["/v1/refunds", "charge=ch_1"],
    ["/v1/returns", "charge=ch_1"],
    ["/v1/customers/cus_1/sources", "source=tok_1"],
    ["/v1/subscriptions", "customer=cus_1&items[0][price]=price_1"],
    ["/v1/invoices/in_1/pay", ""],
  ] as const;
  for (const [url, payload] of needs) {
    const [status, words] = await ask({ method: "POST", url, key, payload }, bankless);
    expect([status, words], url).toEqual([400, expect.stringContaining("TRIPE_LIVE_ACQUIRER_ADDRESS")]);
  }
  expect((await ask({ method: "GET", url: "/v1/charges", key }, bankless))[0]).toBe(200);
  expect((await ask({ method: "POST", url: "/v1/customers", key, payload: "name=Ann" }, bankless))[0]).toBe(200);
  const sandbox = { method: "POST", url: "/v1/charges", payload: "amount=700&currency=usd&source=tok_visa" } as const;
  expect((await ask(sandbox, bankless))[0]).toBe(200);
});

const https = { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9" };
/** Ways to the edge that something could listen in on. */
const exposed = {
  "plain HTTP from another machine": [bench, "10.0.0.9", {}],
  "a header that claims TLS, from an address that is no trusted proxy": [bench, "10.0.0.9", https],
  "a proxy on this machine that is not trusted": [bench, "127.0.0.1", https],
  "a proxy on this machine that says but whom it asks for": [bench, "127.0.0.1", { "x-real-ip": "203.0.113.9" }],
  "a proxy on this machine that says but which host was meant": [
    bench,
    "127.0.0.1",
    { "x-forwarded-host": "pay.example" },
  ],
  "a trusted proxy that had plain HTTP": [proxied, "10.0.0.1", { ...https, "x-forwarded-proto": "http" }],
} as const;

test.each(Object.entries(exposed))(
  "live keys and card numbers are refused over %s",
  async (_, [edge, remoteAddress, headers]) => {
    const live = await ask({ method: "GET", url: "/v1/charges", key, remoteAddress, headers }, edge);
    expect(live).toEqual([400, expect.stringMatching(/^Live keys are taken over HTTPS only/)]);
    for (const [url, payload] of [
      ["/v1/tokens", typed],
      ["/v1/payment_methods", `type=card&${typed}`],
      ["/v1/charges", `amount=700&currency=usd&${typed.replaceAll("card[", "source[")}`],
    ] as const) {
      const refused = await ask({ method: "POST", url, payload, remoteAddress, headers }, edge);
      expect(refused, url).toEqual([400, expect.stringMatching(/^Card numbers are taken over HTTPS only/)]);
    }
    // A sandbox key and a test card that is named give nothing away.
    const payload = "amount=700&currency=usd&source=tok_visa";
    expect((await ask({ method: "POST", url: "/v1/charges", payload, remoteAddress, headers }, edge))[0]).toBe(200);
  },
);

const safe = {
  "this machine": [bench, "127.0.0.1", {}],
  "this machine, in IPv6 clothes": [bench, "::ffff:127.0.0.1", {}],
  "a trusted proxy that had TLS": [proxied, "10.0.0.1", https],
} as const;

test.each(Object.entries(safe))(
  "live keys and card numbers are taken from %s",
  async (_, [edge, remoteAddress, headers]) => {
    expect((await ask({ method: "GET", url: "/v1/charges", key, remoteAddress, headers }, edge))[0]).toBe(200);
    const token = { method: "POST", url: "/v1/tokens", payload: typed, remoteAddress, headers } as const;
    expect((await ask({ ...token, key }, edge))[0]).toBe(200);
    expect((await ask(token, edge))[0]).toBe(200);
  },
);
