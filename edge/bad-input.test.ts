import { afterAll, expect, test } from "vitest";
import { connectDatabase } from "../services/_database/connect.ts";
import { silentLog } from "../services/_runtime/log.ts";
import { readStatement } from "../services/bank/sandbox/statement.ts";
import { addKey } from "./testing/keys.ts";
import { startBench } from "./testing/tripe.ts";

// What must never move money: each is refused by name, and nothing at all is written, here or at the bank.
const bench = await startBench();
const { tripe } = bench;

const OTHER_KEY = "sk_live_badinput1234";
await addKey(tripe.database.urls.owner, { accountId: tripe.liveAccountId, text: OTHER_KEY });

function post(url: string, payload: string, more: { key?: string; headers?: Record<string, string> } = {}) {
  const headers = { "content-type": "application/x-www-form-urlencoded", ...more.headers };
  return bench.ask({ method: "POST", url, payload, ...more, headers });
}

const charge = async () => String((await post("/v1/charges", "amount=2000&currency=usd&source=tok_visa")).body["id"]);
const customer = async () => {
  const { body } = await post("/v1/customers", "source=tok_visa");
  return { id: String(body["id"]), source: String(body["default_source"]) };
};

const chargeId = await charge();
// Krónur and shillings have no parts, and two digits behind the point all the same.
const makeInKronur = async (more = "") =>
  String((await post("/v1/charges", `amount=2000&currency=isk&source=tok_visa${more}`)).body["id"]);
const [kronur, kronurHeld] = [await makeInKronur(), await makeInKronur("&capture=false")];
const payer = await customer();
const expired = await customer();
const database = connectDatabase({ url: tripe.database.urls.owner, role: "owner", connectionsMax: 2, log: silentLog });
afterAll(() => database.close());
const run = <Row>(text: string, ...values: unknown[]) => database.query<Row>({ name: "", text }, values);
await run("update payment_method set exp_year = 2020 where payment_method_id = $1", expired.source);

/** How many rows there are of all that a charge or a return can write, and of effects at the bank. */
async function countAll(): Promise<unknown> {
  const tables = [
    "charge",
    "charge_return",
    "attempt",
    "ledger_transfer",
    "ledger_entry",
    "event",
    "idempotency",
    "alert",
  ];
  const [counts] = await run(
    `select ${tables.map((name) => `(select count(*)::int from ${name}) as ${name}`).join(", ")}`,
  );
  let effectsCount = 0;
  for await (const _line of readStatement(tripe.statementFile)) effectsCount += 1;
  return { ...Object(counts), effectsCount };
}

const onCard = "currency=usd&source=tok_visa";

test.each<[string, string, string, number, object]>([
  ["amount 0", "/v1/charges", `amount=0&${onCard}`, 400, { param: "amount" }],
  [
    "a negative amount",
    "/v1/charges",
    `amount=-1&${onCard}`,
    400,
    { code: "parameter_invalid_integer", param: "amount" },
  ],
  ["2^53", "/v1/charges", `amount=9007199254740992&${onCard}`, 400, { param: "amount" }],
  ["an unknown currency", "/v1/charges", "amount=500&currency=xyz&source=tok_visa", 400, { param: "currency" }],
  [
    "a card past its expiry",
    "/v1/charges",
    `amount=500&currency=usd&customer=${expired.id}`,
    402,
    { code: "expired_card" },
  ],
  [
    "an amount in parts of a króna",
    "/v1/charges",
    "amount=1050&currency=isk&source=tok_visa",
    400,
    { param: "amount" },
  ],
  [
    "an item in parts of a shilling",
    "/v1/invoiceitems",
    `amount=1050&currency=ugx&customer=${expired.id}`,
    400,
    { param: "amount" },
  ],
  [
    "a price in parts of a króna",
    "/v1/prices",
    "unit_amount=1&currency=isk&product_data[name]=Gold",
    400,
    { param: "unit_amount" },
  ],
  ["a return in parts of a króna", "/v1/refunds", `charge=${kronur}&amount=1050`, 400, { param: "amount" }],
  ["a capture in parts of a króna", `/v1/charges/${kronurHeld}/capture`, "amount=1050", 400, { param: "amount" }],
  ["a return of 0", "/v1/refunds", `charge=${chargeId}&amount=0`, 400, { param: "amount" }],
  ["a negative return", "/v1/refunds", `charge=${chargeId}&amount=-5`, 400, { param: "amount" }],
  ["a return of 2^53", "/v1/refunds", `charge=${chargeId}&amount=9007199254740992`, 400, { param: "amount" }],
  ["a return above what was captured", "/v1/refunds", `charge=${chargeId}&amount=2001`, 400, { param: "amount" }],
  ["a return of a charge that is not there", "/v1/refunds", "charge=ch_none", 404, { code: "resource_missing" }],
])("%s is refused by name, and nothing is written", async (_name, url, body, status, error) => {
  const before = await countAll();
  const answer = await post(url, body);
  expect([answer.status, answer.body.error]).toEqual([status, expect.objectContaining(error)]);
  expect(await countAll()).toEqual(before);
});

test("another account's charge, customer and card are not there, and nothing is written", async () => {
  const before = await countAll();
  const key = OTHER_KEY;
  const missing = expect.objectContaining({ code: "resource_missing" });
  const asked = [
    post("/v1/refunds", `charge=${chargeId}`, { key }),
    post("/v1/charges", `amount=500&currency=usd&customer=${payer.id}`, { key }),
    post("/v1/charges", `amount=500&currency=usd&payment_method=${payer.source}`, { key }),
    post(`/v1/charges/${chargeId}`, "description=mine", { key }),
    post(`/v1/charges/${chargeId}/capture`, "", { key }),
  ];
  for (const { status, body } of await Promise.all(asked)) {
    expect([[400, 404].includes(status), body.error]).toEqual([true, missing]);
  }
  expect(await countAll()).toEqual(before);
});

test("a key of 256 characters is refused by name, and nothing is written; one of 255 is a key", async () => {
  const before = await countAll();
  const send = (length: number) =>
    post("/v1/charges", `amount=500&${onCard}`, { headers: { "idempotency-key": "k".repeat(length) } });
  const refused = await send(256);
  expect([refused.status, refused.body.error?.["type"]]).toEqual([400, "idempotency_error"]);
  expect(await countAll()).toEqual(before);
  expect((await send(255)).status).toBe(200);
});

test("a key that comes with other parameters is refused by name, and nothing is written", async () => {
  const headers = { "idempotency-key": "reused" };
  const first = await post("/v1/charges", `amount=500&${onCard}`, { headers });
  const before = await countAll();
  for (const [url, body] of [
    ["/v1/charges", `amount=501&${onCard}`],
    ["/v1/charges", "amount=500&currency=eur&source=tok_visa"],
    ["/v1/refunds", `charge=${chargeId}&amount=1`],
  ] as const) {
    const { status, body: answer } = await post(url, body, { headers });
    expect([status, answer.error?.["type"]]).toEqual([400, "idempotency_error"]);
  }
  expect(await countAll()).toEqual(before);
  expect((await post("/v1/charges", `amount=500&${onCard}`, { headers })).body).toEqual(first.body);
});

test("an unknown parameter is refused by name, and nothing is written", async () => {
  const before = await countAll();
  const { status, body } = await post("/v1/charges", `amount=500&${onCard}&amout=5`);
  expect([status, body.error]).toEqual([400, expect.objectContaining({ code: "parameter_unknown", param: "amout" })]);
  expect(await countAll()).toEqual(before);
});
