import { expect, test } from "vitest";
import { addKey } from "./testing/keys.ts";
import { startBench } from "./testing/tripe.ts";

const bench = await startBench();
const { ask } = bench;

const form = { "content-type": "application/x-www-form-urlencoded" };

function post(url: string, payload: string, more: { key?: string } = {}) {
  return ask({ method: "POST", url, payload, ...more, headers: form });
}

test("a live account knows no test cards and takes a card's number for tokens only", async () => {
  const key = "sk_live_edge12345678";
  await addKey(bench.tripe.database.urls.owner, { accountId: bench.tripe.liveAccountId, text: key });
  expect((await post("/v1/charges", "amount=500&currency=usd&source=tok_visa", { key })).body.error).toMatchObject({
    code: "resource_missing",
    param: "source",
  });
  const card = "source[number]=4242424242424242&source[exp_month]=12&source[exp_year]=2034";
  expect((await post("/v1/charges", `amount=500&currency=usd&${card}`, { key })).body.error).toMatchObject({
    param: "source",
  });
  expect((await post("/v1/charges", `amount=500&currency=usd&${card}`)).status).toBe(200);
});

test.each([
  ["amount=49&currency=usd", "amount_too_small", "amount", "Amount must be at least $0.50 usd"],
  ["amount=999&currency=kwd", "amount_too_small", "amount", "Amount must be at least KWD 1.000"],
  ["amount=99&currency=ugx", "amount_too_small", "amount", "Amount must be at least UGX 1.00"],
  ["amount=49&currency=jpy", "amount_too_small", "amount", "Amount must be at least ¥50 jpy"],
  ["amount=100000000&currency=usd", "amount_too_large", "amount", "Amount must be no more than $999,999.99"],
  ["amount=500&currency=xyz", undefined, "currency", "Invalid currency: xyz"],
])("the amount of %s is refused with %s", async (amount, code, param, message) => {
  const { status, body } = await post("/v1/charges", `${amount}&source=tok_visa`);
  expect([status, body.error?.["code"], body.error?.["param"], body.error?.["message"]]).toEqual([
    400,
    code,
    param,
    message,
  ]);
});

test("whom to charge is judged by name", async () => {
  const one = String((await post("/v1/customers", "source=tok_visa")).body["id"]);
  const other = (await post("/v1/customers", "source=tok_visa")).body;
  const charge = async (rest: string) => (await post("/v1/charges", `amount=500&currency=usd&${rest}`)).body.error;
  expect(await charge("")).toMatchObject({ code: "parameter_missing", param: "source" });
  expect(await charge("source=tok_none")).toMatchObject({
    code: "resource_missing",
    param: "source",
    message: "No such token: 'tok_none'",
  });
  expect(await charge("payment_method=pm_none")).toMatchObject({ code: "resource_missing", param: "payment_method" });
  expect(await charge("customer=cus_none")).toMatchObject({ code: "resource_missing", param: "customer" });
  expect(await charge(`customer=${one}&source=tok_visa`)).toMatchObject({ code: "missing", param: "source" });
  expect(await charge(`customer=${one}&payment_method=${String(other["default_source"])}`)).toMatchObject({
    code: "missing",
    param: "payment_method",
  });
  expect(await charge("source=tok_visa&payment_method=pm_1")).toMatchObject({ code: "parameters_exclusive" });
  const card = "source[number]=4242424242424241&source[exp_month]=12&source[exp_year]=2034";
  expect(await charge(card)).toMatchObject({ type: "card_error", code: "incorrect_number", param: "number" });
  expect(await charge(card.replace("4241", "4242").replace("2034", "2001"))).toMatchObject({
    code: "invalid_expiry_year",
  });
  expect(await charge(`${card.replace("4241", "4242")}&source[cvc]=1`)).toMatchObject({ code: "invalid_cvc" });
});

test("no card number and no CVC reaches a log, a header or an answer", async () => {
  const number = "4000056655665556";
  const card = `[number]=${number}&%[exp_month]=12&%[exp_year]=2034&%[cvc]=987`;
  const answers = await Promise.all([
    post("/v1/tokens", `card${card.replaceAll("%", "card")}`),
    post("/v1/charges", `amount=500&currency=usd&source${card.replaceAll("%", "source")}`),
    post("/v1/charges", `amount=${number}&currency=usd&source=tok_visa`),
    post("/v1/charges", `amount=500&currency=usd&source=${number}`),
    post("/v1/customers", `${number}=1`),
    ask({ method: "GET", url: `/v1/customers/${number}` }),
  ]);
  const seen = JSON.stringify([answers, bench.log.rpcs, bench.log.errors.map(({ cause }) => String(cause))]);
  expect(seen).not.toContain(number);
  expect(seen).not.toContain('"987"');
});

test("a carrier and a tracking number are kept and shown, of a customer and of a charge", async () => {
  const shipping =
    "shipping[name]=Ann&shipping[address][line1]=1 Rue&shipping[carrier]=Post&shipping[tracking_number]=RR 1";
  const shown = { name: "Ann", carrier: "Post", tracking_number: "RR 1" };
  const customer = (await post("/v1/customers", shipping)).body;
  expect(customer["shipping"]).toMatchObject(shown);
  const charge = (await post("/v1/charges", `amount=500&currency=usd&source=tok_visa&${shipping}`)).body;
  const changed = await post(`/v1/charges/${String(charge["id"])}`, shipping.replace("RR 1", "RR 2"));
  const after = await ask({ method: "GET", url: `/v1/charges/${String(charge["id"])}` });
  expect(charge["shipping"]).toMatchObject(shown);
  expect(changed.body["shipping"]).toMatchObject({ ...shown, tracking_number: "RR 2" });
  expect(after.body["shipping"]).toEqual(changed.body["shipping"]);
});

test.each([
  ["/v1/payment_methods", "type=card&card[token]=tok_visa&allow_redisplay=always", "allow_redisplay"],
  [
    "/v1/subscriptions",
    "customer=cus_1&items[0][price]=price_1&payment_settings[payment_method_types][]=sepa_debit",
    "payment_settings[payment_method_types][0]",
  ],
])("%s refuses by name what Tripe does not carry out: %s", async (url, payload, param) => {
  const { status, body } = await post(url, payload);
  expect([status, body.error?.["param"]]).toEqual([400, param]);
});
