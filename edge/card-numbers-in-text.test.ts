import { expect, test } from "vitest";
import { createClient } from "../services/_database/connect-client.ts";
import { actionRoutes, sharedRoutes } from "./actions/actions.ts";
import { startBench } from "./testing/tripe.ts";

// A card number belongs where it is sealed, and nowhere else.
const bench = await startBench();
const form = { "content-type": "application/x-www-form-urlencoded" };
const json = { "content-type": "application/json" };
const NUMBER = "4000056655665556";

const post = (url: string, payload: string, headers: Record<string, string> = form) =>
  bench.ask({ method: "POST", url, payload, headers });

test.each([
  ["a description", "/v1/customers", `description=call ${NUMBER} back`, "description"],
  ["a name", "/v1/customers", "name=4000 0566 5566 5556", "name"],
  ["a value of metadata", "/v1/charges", `amount=500&currency=usd&metadata[card]=${NUMBER}`, "metadata[card]"],
  ["a key of metadata", "/v1/charges", "amount=500&currency=usd&metadata[4000-0566-5566-5556]=1", "metadata"],
  ["a part of an address", "/v1/customers", `address[line2]=${NUMBER}`, "address[line2]"],
  ["full-width digits", "/v1/customers", "description=４０００ ０５６６ ５５６６ ５５５６", "description"],
  ["a source", "/v1/charges", `amount=500&currency=usd&source=${NUMBER}`, "source"],
  [
    "the holder's name",
    "/v1/tokens",
    `card[number]=${NUMBER}&card[exp_month]=12&card[exp_year]=2034&card[name]=${NUMBER}`,
    "card[name]",
  ],
  ["an endpoint's URL", "/v1/webhook_endpoints", `url=https://a.example/${NUMBER}&enabled_events[]=*`, "url"],
] as const)("%s is refused by name, and the number is not repeated", async (_what, url, payload, param) => {
  const { status, body } = await post(url, payload.replaceAll(/[^\x20-\x7e]/g, encodeURIComponent));
  expect([status, body.error?.["type"], body.error?.["param"]]).toEqual([400, "invalid_request_error", param]);
  expect(JSON.stringify(body)).not.toMatch(/4000.?0566/);
});

test("a number in JSON is refused as well, in a list's filter too", async () => {
  const { status, body } = await post("/v1/customers", `{"metadata":{"n":${NUMBER}}}`, json);
  expect([status, body.error?.["param"]]).toEqual([400, "metadata[n]"]);
  const listed = await bench.ask({ method: "GET", url: `/v1/customers?email=${NUMBER}@a.example` });
  expect([listed.status, listed.body.error?.["param"]]).toEqual([400, "email"]);
});

test("an Idempotency-Key is refused and not echoed, in any other header nothing is kept", async () => {
  const keyed = await post("/v1/customers", "", { ...form, "idempotency-key": `order ${NUMBER}` });
  expect([keyed.status, keyed.body.error?.["param"]]).toEqual([400, "Idempotency-Key"]);
  const { headers, status } = await post("/v1/customers", "", {
    ...form,
    "stripe-version": NUMBER,
    "user-agent": NUMBER,
    "x-stripe-client-user-agent": NUMBER,
    traceparent: `00-${NUMBER}${NUMBER}-${NUMBER}-01`,
    referer: NUMBER,
    host: NUMBER,
  });
  expect(status).toBe(200);
  expect(JSON.stringify([keyed.headers, headers])).not.toContain(NUMBER);
});

test.each([
  ["order numbers of which one in ten passes Luhn", "9400111899223197428490"],
  ["sixteen digits with another check digit", "4000056655665557"],
  ["a telephone number of thirteen digits", "+4915123456001"],
])("%s are taken", async (_what, text) => {
  expect((await post("/v1/customers", `description=${encodeURIComponent(text)}`)).status).toBe(200);
});

test("a telephone number without a plus is taken where it is one", async () => {
  expect((await post("/v1/customers", "phone=4915123456001")).status).toBe(200);
});

test("a float as an amount is shown, as nothing of a card is in it", async () => {
  const { body } = await post(
    "/v1/charges",
    '{"amount":509.99999999999994,"currency":"usd","source":"tok_visa"}',
    json,
  );
  expect(body.error).toMatchObject({ param: "amount", message: "Invalid integer: 509.99999999999994" });
});

test("the number of a card is the only text that may hold one", () => {
  const routes = [...Object.values(actionRoutes).flat(), ...sharedRoutes];
  const names = routes.flatMap(({ params }) => namesOfCardNumbers(params));
  expect(new Set(names)).toEqual(new Set(["number"]));
});

test("nothing of what was refused was stored or logged", async () => {
  const client = createClient({ url: bench.tripe.database.urls.owner, name: "tripe_edge_test" });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname !~ '^pg_|^information_schema$'",
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables) {
      const { rows } = await client.query(`select 1 from ${name} t where t::text like '%${NUMBER}%'`);
      expect([name, rows.length]).toEqual([name, 0]);
    }
  } finally {
    await client.end();
  }
  expect(JSON.stringify([bench.log.rpcs, bench.log.errors])).not.toContain(NUMBER);
});

function namesOfCardNumbers(schema: unknown, name = ""): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  if ("x-card-number" in schema) return [name];
  return Object.entries(schema).flatMap(([key, part]) => namesOfCardNumbers(part, key));
}
