import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { startBench } from "./testing/tripe.ts";

// Rules that Stripe publishes and programs rely on, each with inputs of one kind.
const bench = await startBench();

async function post(url: string, payload: string | Buffer, headers: Record<string, string> = {}) {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  return bench.ask({ method: "POST", url, payload, headers: { ...form, ...headers } });
}

interface CustomerEvent {
  readonly data: { readonly object: Record<string, unknown>; readonly previous_attributes: object };
}

const get = (url: string) => bench.ask({ method: "GET", url });
const idOf = async (url: string, payload: string) => String((await post(url, payload)).body["id"]);
const form = (given: Record<string, string>) => new URLSearchParams(given).toString();

const onCard = { amount: "2000", currency: "usd", source: "tok_visa" };
const customer = await idOf("/v1/customers", "email=ann@example.com&source=tok_visa");
const priceOf = (more: string) => idOf("/v1/prices", `product_data[name]=Gold&recurring[interval]=month&${more}`);
const [dollars, euros] = [await priceOf("unit_amount=500&currency=usd"), await priceOf("unit_amount=500&currency=eur")];

test("booleans in Python's spelling are booleans, in forms, queries and JSON, of every route", async () => {
  expect((await post("/v1/charges", form({ ...onCard, capture: "False" }))).body).toMatchObject({ captured: false });
  expect((await post("/v1/charges", form({ ...onCard, capture: "True" }))).body).toMatchObject({ captured: true });
  const draft = await post("/v1/invoices", `customer=${customer}&auto_advance=False`);
  expect(draft.body).toMatchObject({ auto_advance: false });
  const product = await idOf("/v1/products", "name=Silver&active=FALSE");
  const listed = (await get("/v1/products?active=False")).body["data"];
  expect(listed).toEqual([expect.objectContaining({ id: product, active: false })]);
  const json = { method: "POST", url: `/v1/products/${product}`, payload: { active: "True" } } as const;
  expect((await bench.ask(json)).body).toMatchObject({ active: true });
  const pending = await get(`/v1/invoiceitems?customer=${customer}&pending=True`);
  expect(pending.status).toBe(200);
});

test.each(["yes", "1", "truee", "tr ue", "none"])("another word than true or false is refused: %s", async (word) => {
  const { status, body } = await post("/v1/charges", form({ ...onCard, capture: word }));
  expect([status, body.error?.["param"]]).toEqual([400, "capture"]);
});

test.each([
  ["statement_descriptor", "A*B STORE"],
  ["statement_descriptor", "STORE <1>"],
  ["statement_descriptor", "ANN'S SHOP"],
  ["statement_descriptor", 'THE "SHOP"'],
  ["statement_descriptor", "BACK\\SLASH"],
  ["statement_descriptor", "1234567"],
  ["statement_descriptor", "-----"],
  ["statement_descriptor", "SHOP"],
  ["statement_descriptor", "МАГАЗИН 24"],
  ["statement_descriptor", "SHOP 株式会社"],
  ["statement_descriptor", "GIFTS 🎁"],
  ["statement_descriptor", "TWENTY-THREE CHARACTERS"],
  ["statement_descriptor_suffix", "12345"],
  ["statement_descriptor_suffix", "#1245"],
  ["statement_descriptor_suffix", "O*12"],
  ["statement_descriptor_suffix", "ORDER\n12"],
])("a statement descriptor of another form than published is refused: %s %s", async (param, value) => {
  const { status, body } = await post("/v1/charges", form({ ...onCard, [param]: value }));
  expect([status, body.error?.["param"]]).toEqual([400, param]);
});

test.each([
  ["statement_descriptor", "ANN & BOB CO., 24/7"],
  ["statement_descriptor", "Café Zoë"],
  ["statement_descriptor", "TWENTY-TWO CHARACTERS!"],
  ["statement_descriptor_suffix", "W #123"],
  ["statement_descriptor_suffix", "A"],
])("a statement descriptor as published is kept as it is: %s %s", async (param, value) => {
  expect((await post("/v1/charges", form({ ...onCard, [param]: value }))).body).toMatchObject({ [param]: value });
});

test.each(["bhd", "jod", "kwd", "omr", "tnd"])("an amount in %s ends in 0, however money moves", async (currency) => {
  const refused = async (url: string, given: Record<string, string>, param = "amount") => {
    const { status, body } = await post(url, form(given));
    expect([status, body.error]).toEqual([400, expect.objectContaining({ code: "parameter_invalid_integer", param })]);
  };
  for (const amount of ["1234", "10001"]) await refused("/v1/charges", { ...onCard, amount, currency });
  await refused("/v1/invoiceitems", { customer, amount: "1001", currency });
  await refused("/v1/invoiceitems", { customer, unit_amount_decimal: "15", quantity: "1", currency });
  await refused("/v1/prices", { unit_amount: "1005", currency, "product_data[name]": "Gold" }, "unit_amount");
  const held = await idOf("/v1/charges", form({ ...onCard, amount: "5120", currency, capture: "false" }));
  await refused(`/v1/charges/${held}/capture`, { amount: "5119" });
  expect((await post(`/v1/charges/${held}/capture`, "amount=5110")).body).toMatchObject({ amount_captured: 5_110 });
  await refused("/v1/refunds", { charge: held, amount: "11" });
  expect((await post("/v1/refunds", form({ charge: held, amount: "10" }))).body).toMatchObject({ amount: 10 });
});

test("currencies without decimals that are written with two are charged in whole units alone", async () => {
  for (const [currency, amount] of [
    ["isk", "550"],
    ["ugx", "50050"],
    ["isk", "10001"],
  ] as const) {
    const { status, body } = await post("/v1/charges", form({ ...onCard, amount, currency }));
    expect([status, body.error?.["code"]]).toEqual([400, "parameter_invalid_integer"]);
  }
});

test.each(["nobody", "ann+1@example.com", "a b", "", "%00", "@", "x".repeat(600), "ann@example.com>", "Ann <a@b.c>"])(
  "customers are looked up by any text, which finds those who have it and no others: %s",
  async (text) => {
    const raw = text.startsWith("%") ? text : encodeURIComponent(text);
    const { status, body } = await get(`/v1/customers?email=${raw}`);
    expect([status, body]).toMatchObject([200, { object: "list", data: [], has_more: false }]);
    // As people type it into a URL: a raw + is a space to every server.
    expect((await get("/v1/customers?email=ann+1@example.com")).status).toBe(200);
    expect((await get("/v1/customers?email=ann@example.com")).body["data"]).toHaveLength(1);
  },
);

test("prices are looked up by any lookup key, which finds those that have it and no others", async () => {
  await priceOf("unit_amount=700&currency=usd&lookup_key=gold");
  for (const key of ["silver", "k".repeat(300), "", "%00"]) {
    const { status, body } = await get(`/v1/prices?lookup_keys[]=${key}`);
    expect([status, body["data"]]).toEqual([200, []]);
  }
  expect((await get(`/v1/prices?lookup_keys[]=gold&lookup_keys[]=${"k".repeat(300)}`)).body["data"]).toHaveLength(1);
});

test.each([
  "a,b@example.com",
  "bob@example.com>",
  '"bob"@example.com',
  "bob(home)@example.com",
  "bob;ann@example.com",
  "bob@exam,ple.com",
  "bob@example..com",
  "bob@[127.0.0.1]",
  "mailto:bob@example.com",
  "bob\\@example.com",
  `${"b".repeat(65)}@example.com`,
  `bob@${"x".repeat(251)}`,
  "bob\u0007@example.com",
  "Bob <bob@example.com>",
])("an address that is never mailed is refused where it is given: %s", async (address) => {
  const expected = [400, "email_invalid"];
  const made = await post("/v1/customers", form({ email: address }));
  expect([made.status, made.body.error?.["code"]]).toEqual(expected);
  const changed = await post(`/v1/customers/${customer}`, form({ email: address }));
  expect([changed.status, changed.body.error?.["code"]]).toEqual(expected);
  const charged = await post("/v1/charges", form({ ...onCard, receipt_email: address }));
  expect([charged.status, charged.body.error?.["param"]]).toEqual([400, "receipt_email"]);
});

test.each(["bob+1@example.com", "o'neil@example.com", "böb@exämple.com", "bob@localhost", "b_o.b-2@sub.example.org"])(
  "an address that can be mailed to is taken: %s",
  async (email) => {
    expect((await post("/v1/customers", form({ email }))).body).toMatchObject({ email });
  },
);

test.each([
  ["gzip", gzipSync("amount=500&currency=usd&source=tok_visa")],
  ["gzip", "amount=500&currency=usd&source=tok_visa"],
  ["deflate", "amount=500"],
  ["br", ""],
  ["identity, gzip", "amount=500"],
])("a body in another encoding is a 415: %s", async (encoding, payload) => {
  const { status, headers, body } = await post("/v1/charges", payload, { "content-encoding": encoding });
  expect([status, headers["accept-encoding"], body.error?.["type"]]).toEqual([
    415,
    "identity",
    "invalid_request_error",
  ]);
});

test("a body that is said to be as it is is read", async () => {
  expect((await post("/v1/charges", form(onCard), { "content-encoding": "identity" })).status).toBe(200);
});

test.each([
  [1_769_900_400, 1_767_222_000],
  [1, 0],
  [1_767_222_001, 1_767_222_000],
])("an item's period does not end before it starts: %i, %i", async (start, end) => {
  const item = `customer=${customer}&amount=900&currency=usd&period[start]=${start}`;
  const { status, body } = await post("/v1/invoiceitems", `${item}&period[end]=${end}`);
  expect([status, body.error?.["param"]]).toEqual([400, "period[end]"]);
  expect((await post("/v1/invoiceitems", `${item}&period[end]=${start}`)).status).toBe(200);
});

test.each(["search", "create_preview", "upcoming", ".", ".."])(
  "no product is made under an id that stands for a route: %s",
  async (id) => {
    for (const [url, payload, param] of [
      ["/v1/products", form({ name: "Gold", id }), "id"],
      [
        "/v1/prices",
        form({ unit_amount: "500", currency: "usd", "product_data[name]": "G", "product_data[id]": id }),
        "product_data[id]",
      ],
    ] as const) {
      const { status, body } = await post(url, payload);
      expect([status, body.error?.["param"]]).toEqual([400, param]);
    }
    const near = `${id}s`;
    expect((await post("/v1/products", form({ name: "Gold", id: near }))).body).toMatchObject({ id: near });
    expect((await get(`/v1/products/${near}`)).status).toBe(200);
  },
);

test("one price in two items of a subscription is refused, whatever stands between", async () => {
  const other = await priceOf("unit_amount=600&currency=usd");
  for (const prices of [
    [dollars, dollars],
    [dollars, other, dollars],
    [other, dollars, other, dollars],
  ]) {
    const items = prices.map((price, index) => [`items[${index}][price]`, price]);
    const { status, body } = await post("/v1/subscriptions", form({ customer, ...Object.fromEntries(items) }));
    expect([status, body.error?.["message"]]).toEqual([400, expect.stringContaining("same plan: price_")]);
  }
  const items = { "items[0][price]": dollars, "items[1][price]": other };
  const made = await post(
    "/v1/subscriptions",
    form({ customer: await idOf("/v1/customers", "source=tok_visa"), ...items }),
  );
  expect(made.body).toMatchObject({ status: "active" });
});

test.each([
  ["an invoice item", "jpy", "/v1/invoiceitems", "amount=900&currency=jpy"],
  ["a draft", "gbp", "/v1/invoices", "currency=gbp"],
  ["a subscription", "eur", "/v1/subscriptions", `items[0][price]=${euros}`],
  ["a trial", "usd", "/v1/subscriptions", `items[0][price]=${dollars}&trial_period_days=3`],
])("a customer's currency is set by %s, told once, and set by nothing after that", async (_, currency, url, given) => {
  const payer = await idOf("/v1/customers", "source=tok_visa");
  const told = async () =>
    ((await get(`/v1/events?type=customer.updated&limit=100`)).body["data"] as CustomerEvent[])
      .filter(({ data }) => data.object["id"] === payer)
      .map(({ data }) => [data.previous_attributes, data.object["currency"]]);
  await post("/v1/charges", `amount=500&currency=cad&customer=${payer}`);
  expect([(await get(`/v1/customers/${payer}`)).body["currency"], await told()]).toEqual([null, []]);
  expect((await post(url, `customer=${payer}&${given}`)).status).toBe(200);
  await post("/v1/invoiceitems", `customer=${payer}&amount=900&currency=chf`);
  await post("/v1/invoices", `customer=${payer}&currency=nok`);
  expect((await get(`/v1/customers/${payer}`)).body["currency"]).toBe(currency);
  expect((await post(`/v1/customers/${payer}`, "name=Ann")).body["currency"]).toBe(currency);
  const named = [{ name: null }, currency];
  expect(await told()).toEqual([named, [{ currency: null }, currency]]);
});

test("of two first items at once in two currencies one sets the customer's, and one event says so", async () => {
  const payer = await idOf("/v1/customers", "source=tok_visa");
  const currencies = ["usd", "eur", "gbp"];
  await Promise.all(
    currencies.map((currency) => post("/v1/invoiceitems", `customer=${payer}&amount=900&currency=${currency}`)),
  );
  const { currency } = (await get(`/v1/customers/${payer}`)).body;
  expect(currencies).toContain(currency);
  const events = (await get("/v1/events?type=customer.updated&limit=100")).body["data"] as CustomerEvent[];
  const own = events.filter(({ data }) => data.object["id"] === payer);
  expect(own.map(({ data }) => data.object["currency"])).toEqual([currency]);
});

test("a second currency is refused to a customer whose subscription has not ended", async () => {
  const payer = await idOf("/v1/customers", "source=tok_visa");
  const subscribe = (price: string, more = "") =>
    post("/v1/subscriptions", `customer=${payer}&items[0][price]=${price}${more}`);
  const first = String((await subscribe(dollars, "&trial_period_days=7")).body["id"]);
  const refused = { type: "invalid_request_error", message: expect.stringContaining("cannot combine currencies") };
  for (const more of ["", "&trial_period_days=3", "&collection_method=send_invoice&days_until_due=5"]) {
    const { status, body } = await subscribe(euros, more);
    expect([status, body.error]).toEqual([400, expect.objectContaining(refused)]);
  }
  expect((await subscribe(dollars)).status).toBe(200);
  await post(`/v1/subscriptions/${first}`, "cancel_at_period_end=true");
  expect((await subscribe(euros)).status).toBe(400);
  for (const { id } of (await get(`/v1/subscriptions?customer=${payer}`)).body["data"] as { id: string }[]) {
    await bench.ask({ method: "DELETE", url: `/v1/subscriptions/${id}` });
  }
  expect((await subscribe(euros)).body).toMatchObject({ status: "active", currency: "eur" });
});
