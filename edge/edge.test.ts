import { expect, test } from "vitest";
import { edgeActions } from "../services/_runtime/config.ts";
import { actionRoutes } from "./actions/actions.ts";
import { pathsOf } from "./route.ts";
import { addAccount, addKey } from "./testing/keys.ts";
import { startBench } from "./testing/tripe.ts";

const bench = await startBench();
const { ask } = bench;

const form = { "content-type": "application/x-www-form-urlencoded" };

function post(url: string, payload: string, more: { key?: string | null; headers?: Record<string, string> } = {}) {
  return ask({ method: "POST", url, payload, ...more, headers: { ...form, ...more.headers } });
}

test("without a key, or with a wrong one, it is a 401 that shows the key's last four characters", async () => {
  const none = await ask({ method: "GET", url: "/v1/charges", key: null });
  expect([none.status, none.body.error?.["type"]]).toEqual([401, "invalid_request_error"]);
  const wrong = await ask({ method: "GET", url: "/v1/charges", key: "sk_test_ThisIsNotAKey1234" });
  expect([wrong.status, wrong.body.error?.["message"]]).toEqual([401, "Invalid API Key provided: sk_test_***1234"]);
  const strange = await ask({ method: "GET", url: "/v1/charges", key: null, headers: { authorization: "Digest x" } });
  expect(strange.status).toBe(401);
});

test("Basic takes the key as its user name, as curl -u sends it", async () => {
  const authorization = `Basic ${Buffer.from(`${bench.tripe.secretKey}:`).toString("base64")}`;
  expect((await ask({ method: "GET", url: "/v1/charges", key: null, headers: { authorization } })).status).toBe(200);
});

test("a publishable key makes tokens and payment methods and opens nothing else; a restricted one opens nothing", async () => {
  const accountId = bench.tripe.accountId;
  await addKey(bench.tripe.database.urls.owner, { accountId, text: "pk_test_edge12345678", kind: "publishable" });
  await addKey(bench.tripe.database.urls.owner, { accountId, text: "rk_test_edge12345678", kind: "restricted" });
  const card = "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034";
  const key = "pk_test_edge12345678";
  expect((await post("/v1/tokens", card, { key })).status).toBe(200);
  expect((await post("/v1/payment_methods", `type=card&${card}`, { key })).status).toBe(200);
  expect((await post("/v1/customers", "", { key })).status).toBe(403);
  expect((await ask({ method: "GET", url: "/v1/charges", key: "rk_test_edge12345678" })).status).toBe(403);
});

test("a key that has ended is refused", async () => {
  const accountId = bench.tripe.accountId;
  await addKey(bench.tripe.database.urls.owner, { accountId, text: "sk_test_ended12345678", expiresInS: -1 });
  const { status, body } = await ask({ method: "GET", url: "/v1/charges", key: "sk_test_ended12345678" });
  expect(status).toBe(401);
  expect(body.error?.["code"]).toBe("api_key_expired");
});

test("requests that arrive together with one key read it once", async () => {
  const accountId = bench.tripe.accountId;
  await addKey(bench.tripe.database.urls.owner, { accountId, text: "sk_test_shared1234567" });
  const reads = () => bench.log.rpcs.filter(({ rpc }) => rpc === "FindApiKeys").length;
  const before = reads();
  const asked = Array.from({ length: 10 }, () =>
    ask({ method: "GET", url: "/v1/refunds", key: "sk_test_shared1234567" }),
  );
  expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([200]));
  expect(reads()).toBe(before + 1);
});

test("another account's objects are a plain 404 under every route that takes an id", async () => {
  await addAccount(bench.tripe.database.urls.owner, "sk_test_another1234");
  const customer = (await post("/v1/customers", "source=tok_visa")).body;
  const charge = (await post("/v1/charges", `amount=500&currency=usd&customer=${String(customer["id"])}`)).body;
  const refund = (await post("/v1/refunds", `charge=${String(charge["id"])}&amount=100`)).body;
  const token = (await post("/v1/tokens", "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034")).body;
  const ids: Record<string, unknown> = {
    customers: customer["id"],
    charges: charge["id"],
    refunds: refund["id"],
    returns: refund["id"],
    tokens: token["id"],
    payment_methods: customer["default_source"],
  };
  const routes = edgeActions.flatMap((action) => actionRoutes[action]).filter(({ path }) => path.includes(":id"));
  const payloads: Record<string, string> = {
    "/v1/payment_methods/:id/attach": "customer=cus_x",
    "/v1/customers/:id/sources": "source=tok_visa",
  };
  for (const route of routes) {
    const { method } = route;
    for (const { path: name } of pathsOf(route)) {
      const url = name.replace(":id", String(ids[name.split("/")[2] ?? ""]));
      const more = method === "POST" ? { payload: payloads[name] ?? "", headers: form } : {};
      const { status, body } = await ask({ method, url, key: "sk_test_another1234", ...more });
      expect([method, name, status, body.error?.["code"]]).toEqual([
        method,
        name,
        name.endsWith("attach") ? 400 : 404,
        "resource_missing",
      ]);
    }
  }
  const untouched = await ask({ method: "GET", url: `/v1/customers/${String(customer["id"])}` });
  expect(untouched.body).toMatchObject({ id: customer["id"], default_source: customer["default_source"] });
});

test("every answer carries its request's id, the version and, of a POST, the key", async () => {
  const { headers } = await post("/v1/customers", "", {
    headers: { "idempotency-key": "k-1", "stripe-version": "2020-08-27" },
  });
  expect(headers).toMatchObject({ "idempotency-key": "k-1", "stripe-version": "2026-10-28.endive" });
  expect(headers["request-id"]).toMatch(/^req_\w{24}$/);
  expect((await ask({ method: "GET", url: "/nowhere", key: null })).headers["request-id"]).toMatch(/^req_/);
  expect((await ask({ method: "GET", url: "/v1/charges" })).headers["stripe-version"]).toBe("2026-10-28.endive");
});

test("a request for another account is refused, never carried out for one's own", async () => {
  for (const header of ["stripe-account", "stripe-context"]) {
    const { status, body } = await post("/v1/charges", "amount=500&currency=usd&source=tok_visa", {
      headers: { [header]: "acct_other" },
    });
    expect([status, body]).toMatchObject([400, { error: { type: "invalid_request_error" } }]);
  }
});

test("a sandbox key is shown every internal call and its time; a live one is not", async () => {
  const sandbox = await post("/v1/charges", "amount=500&currency=usd&source=tok_visa");
  const names = String(sandbox.headers["server-timing"]).match(/\w+\.\w+(?=;start)/g);
  expect(names).toEqual(
    expect.arrayContaining([
      "reader.GetPayer",
      "transactions.CreateCharge",
      "writer.BeginCharge",
      "bank.Submit",
      "writer.SettleCharge",
    ]),
  );
  await addKey(bench.tripe.database.urls.owner, { accountId: bench.tripe.liveAccountId, text: "sk_live_edge12345678" });
  const live = await ask({ method: "GET", url: "/v1/charges", key: "sk_live_edge12345678" });
  expect([live.status, live.headers["server-timing"]]).toEqual([200, undefined]);
});

test("JSON is answered as a form is", async () => {
  const json = { "content-type": "application/json; charset=utf-8" };
  const body = { amount: 500, currency: "USD", source: "tok_visa", metadata: { n: 1 }, description: null };
  const { status, body: charge } = await post("/v1/charges", JSON.stringify(body), { headers: json });
  expect([status, charge["currency"], charge["metadata"]]).toEqual([200, "usd", { n: "1" }]);
});

test.each([
  ["GET", "/v1/customers//", 404],
  ["GET", "/v1/customers/undefined", 404],
  ["GET", "/v1/nothing", 404],
  ["PATCH", "/v1/customers", 405],
  ["PUT", "/v1/charges/ch_1", 405],
  ["DELETE", "/v1/charges", 405],
  ["PATCH", "/v1/nothing", 404],
  ["GET", "/v1/customers/%zz", 400],
  ["GET", `/v1/customers/${"x".repeat(100)}`, 404],
  ["GET", `/v1/customers/${"x".repeat(2_000)}`, 414],
  ["GET", "/v1/customers/a%00b", 404],
  ["GET", "/v1/charges?expand[]=nothing", 400],
  ["GET", "/v1/charges?expand[]=customer", 400],
  ["GET", "/v1/charges?limit=0", 400],
  ["GET", "/v1/charges?limit=101", 400],
  ["GET", "/v1/charges?starting_after=a&ending_before=b", 400],
  ["GET", "/v1/charges?foo=1", 400],
  ["GET", "/v1/payment_methods", 400],
] as const)("%s %s is a %i with the envelope", async (method, url, wanted) => {
  const { status, body } = await ask({ method, url });
  expect([status, typeof body.error?.["message"]]).toEqual([wanted, "string"]);
});

test("a method that a path has not is a 405 that names those it has, and HEAD is a GET without its body", async () => {
  for (const [url, allow] of [
    ["/v1/charges", "GET, HEAD, POST"],
    ["/v1/customers/cus_1", "DELETE, GET, HEAD, POST"],
    ["/v1/refunds?limit=1", "GET, HEAD, POST"],
    ["/openapi.json", "GET, HEAD"],
  ] as const) {
    const { status, headers } = await ask({ method: "PUT", url });
    expect([url, status, headers["allow"]]).toEqual([url, 405, allow]);
  }
  const [get, head] = await Promise.all([
    bench.app.inject({ method: "GET", url: "/openapi.json" }),
    bench.app.inject({ method: "HEAD", url: "/openapi.json" }),
  ]);
  expect([head.statusCode, head.body]).toEqual([200, ""]);
  expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
  expect((await bench.app.inject({ method: "HEAD", url: "/v1/charges" })).statusCode).toBe(401);
});

test("GET and DELETE may come with a form's content type and no body, POST with an empty one", async () => {
  const { body } = await post("/v1/customers", "", { headers: { "content-length": "0" } });
  expect((await ask({ method: "GET", url: `/v1/customers/${String(body["id"])}`, headers: form })).status).toBe(200);
  expect((await ask({ method: "DELETE", url: `/v1/customers/${String(body["id"])}`, headers: form })).status).toBe(200);
  expect((await ask({ method: "POST", url: "/v1/customers" })).status).toBe(200);
});

test("an Idempotency-Key is at most 255 printable characters, and a step-like one is no step", async () => {
  expect(
    (await post("/v1/customers", "", { headers: { "idempotency-key": "k".repeat(256) } })).body.error,
  ).toMatchObject({
    type: "idempotency_error",
  });
  expect((await post("/v1/customers", "source=tok_visa", { headers: { "idempotency-key": "order" } })).status).toBe(
    200,
  );
  expect((await post("/v1/customers", "name=a", { headers: { "idempotency-key": "order/1" } })).status).toBe(200);
  expect((await post("/v1/customers", "name=a", { headers: { "idempotency-key": "order/1" } })).headers).toMatchObject({
    "idempotent-replayed": "true",
  });
});

test("a key used for one path is refused for another", async () => {
  const headers = { "idempotency-key": "one-path" };
  const { body } = await post("/v1/customers", "", { headers });
  expect((await post(`/v1/customers/${String(body["id"])}`, "", { headers })).body.error).toMatchObject({
    type: "idempotency_error",
  });
});

test("a part that is away is a 503 with Retry-After, and the key stays free", async () => {
  const headers = { "idempotency-key": "while-away" };
  await bench.tripe.stopService("transactions");
  const away = await post("/v1/charges", "amount=500&currency=usd&source=tok_visa", { headers });
  expect([away.status, away.headers["retry-after"], away.body.error?.["type"]]).toEqual([503, "1", "api_error"]);
  await bench.tripe.startService("transactions");
  expect((await post("/v1/charges", "amount=500&currency=usd&source=tok_visa", { headers })).status).toBe(200);
});

test("openapi.json lists every route with the schema that decodes it", async () => {
  const { body } = await ask({ method: "GET", url: "/openapi.json", key: null });
  const paths = body["paths"] as Record<string, Record<string, unknown>>;
  expect(Object.keys(paths)).toEqual(expect.arrayContaining(["/v1/charges", "/v1/refunds/{id}", "/v1/returns/{id}"]));
  expect(JSON.stringify(paths["/v1/charges"]?.["post"])).toContain('"statement_descriptor"');
});

test("the same return is answered under both names", async () => {
  const charge = (await post("/v1/charges", "amount=500&currency=usd&source=tok_visa")).body;
  const headers = { "idempotency-key": "both-names" };
  const made = await post("/v1/returns", `charge=${String(charge["id"])}&amount=100`, { headers });
  expect((await post("/v1/refunds", `charge=${String(charge["id"])}&amount=100`, { headers })).body).toEqual(made.body);
  const id = String(made.body["id"]);
  const [one, other] = await Promise.all([
    ask({ method: "GET", url: `/v1/refunds/${id}` }),
    ask({ method: "GET", url: `/v1/returns/${id}` }),
  ]);
  expect(one.body).toEqual(other.body);
  const lists = await Promise.all(
    ["refunds", "returns"].map((name) => ask({ method: "GET", url: `/v1/${name}?charge=${String(charge["id"])}` })),
  );
  expect(lists[0]?.body).toEqual(lists[1]?.body);
});
