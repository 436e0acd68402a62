import Stripe from "stripe";
import { expect, test, vi } from "vitest";
import { startBench } from "./testing/tripe.ts";

// The official SDK over real HTTP, against the real services. Real sockets and a printing thread take their time on a busy
// machine; that is no reason to fail.
vi.setConfig({ testTimeout: 30_000 });

const bench = await startBench();
const stripe = await bench.stripe();

async function failureOf(work: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof Stripe.errors.StripeError) return error;
  throw new Error("the call was meant to fail", { cause: error });
}

const createCustomer = (source = "tok_visa") =>
  stripe.customers.create({ email: "ann@example.com", name: "Ann É", source });

async function createDraft({ source, amounts = [2_500, 1_250] }: { source?: string; amounts?: number[] } = {}) {
  const customer = await createCustomer(source);
  for (const amount of amounts) {
    await stripe.invoiceItems.create({ customer: customer.id, amount, currency: "usd", description: `Work ${amount}` });
  }
  const draft = await stripe.invoices.create({ customer: customer.id, pending_invoice_items_behavior: "include" });
  return { customer, draft };
}

async function createOpen(options?: Parameters<typeof createDraft>[0]) {
  const { customer, draft } = await createDraft(options);
  return { customer, invoice: await stripe.invoices.finalizeInvoice(draft.id) };
}

test("pending items become a draft's lines in their order, which is finalized, paid and listed", async () => {
  const { customer, draft } = await createDraft();
  expect(draft).toMatchObject({
    object: "invoice",
    status: "draft",
    number: null,
    invoice_pdf: null,
    customer: customer.id,
    total: 3_750,
    auto_advance: false,
    collection_method: "charge_automatically",
  });
  expect(draft.lines.data.map(({ description }) => description)).toEqual(["Work 2500", "Work 1250"]);
  expect((await stripe.invoiceItems.list({ customer: customer.id, pending: true })).data).toEqual([]);
  expect((await stripe.invoiceItems.list({ invoice: draft.id })).data.length).toBe(2);
  const open = await stripe.invoices.finalizeInvoice(draft.id);
  expect(open).toMatchObject({ status: "open", amount_due: 3_750, customer_email: "ann@example.com" });
  expect(open.number).toMatch(/^[A-Z0-9]+-0001$/);
  expect(open.invoice_pdf).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/invoices\/acct_\w+\/in_\w+\/[\w-]+(\.[\w-]+){2}\/pdf$/);
  const paid = await stripe.invoices.pay(draft.id, {}, { idempotencyKey: "pay-once" });
  expect(paid).toMatchObject({ status: "paid", amount_paid: 3_750, amount_remaining: 0 });
  const shown = await stripe.invoices.retrieve(draft.id, { expand: ["payments", "customer"] });
  expect(shown).toMatchObject({
    customer: { id: customer.id, object: "customer" },
    payments: { data: [{ status: "paid", amount_paid: 3_750, payment: { type: "charge" } }] },
  });
  const payments = await stripe.invoicePayments.list({ invoice: draft.id, expand: ["data.payment.charge"] });
  expect(payments.data).toMatchObject([{ payment: { charge: { object: "charge", amount: 3_750, paid: true } } }]);
  expect(await failureOf(stripe.invoices.pay(draft.id))).toMatchObject({
    statusCode: 400,
    message: "Invoice is already paid",
  });
  const listed = await stripe.invoices.list({ customer: customer.id, status: "paid" });
  expect(listed.data.map(({ id }) => id)).toEqual([draft.id]);
  expect((await stripe.invoices.list({ customer: customer.id, collection_method: "send_invoice" })).data).toEqual([]);
});

test("a draft that is paid is finalized first", async () => {
  const { draft } = await createDraft({ amounts: [900] });
  const paid = await stripe.invoices.pay(draft.id, { off_session: true });
  expect(paid).toMatchObject({ status: "paid", amount_paid: 900, attempt_count: 1 });
  expect(paid.number).toMatch(/-0001$/);
});

test("a draft is paid under a key that is its own id", async () => {
  const { draft } = await createDraft({ amounts: [900] });
  expect(await stripe.invoices.pay(draft.id, {}, { idempotencyKey: draft.id })).toMatchObject({ status: "paid" });
});

test("an invoice whose own card was detached is paid by the customer's", async () => {
  const { customer, draft } = await createDraft({ amounts: [900] });
  const own = await stripe.paymentMethods.attach("pm_card_mastercard", { customer: customer.id });
  await stripe.invoices.update(draft.id, { default_payment_method: own.id });
  await stripe.paymentMethods.detach(own.id);
  expect((await stripe.invoices.retrieve(draft.id)).default_payment_method).toBeNull();
  expect(await stripe.invoices.pay(draft.id)).toMatchObject({ status: "paid" });
});

test("ten payments of one invoice at once charge once", async () => {
  const { customer, invoice } = await createOpen({ amounts: [1_000] });
  const paying = Array.from({ length: 10 }, () => stripe.invoices.pay(invoice.id).catch((error: unknown) => error));
  const answers = await Promise.all(paying);
  const paid = answers.filter((one) => !(one instanceof Error));
  expect(paid.length).toBeGreaterThan(0);
  expect(paid.every((one) => (one as Stripe.Invoice).status === "paid")).toBe(true);
  const others = answers.filter((one) => one instanceof Error).map(({ message }) => message);
  expect(others.filter((message) => message !== "Invoice is already paid")).toEqual([]);
  expect((await stripe.charges.list({ customer: customer.id })).data.length).toBe(1);
});

test("one key has one effect: what made a charge pays no invoice, and what paid an invoice makes no charge", async () => {
  const { customer, invoice } = await createOpen({ amounts: [1_000] });
  const charge = (idempotencyKey: string) =>
    stripe.charges.create({ amount: 2_000, currency: "usd", source: "tok_visa" }, { idempotencyKey });
  const pay = (idempotencyKey: string) => stripe.invoices.pay(invoice.id, {}, { idempotencyKey });
  await charge("charged first");
  const reused = { statusCode: 400, type: "StripeIdempotencyError" };
  expect(await failureOf(pay("charged first"))).toMatchObject(reused);
  expect(await stripe.invoices.retrieve(invoice.id)).toMatchObject({ status: "open", attempt_count: 0 });
  const [paid, charged] = await Promise.allSettled([pay("at once"), charge("at once")]);
  expect([paid.status, charged.status].sort()).toEqual(["fulfilled", "rejected"]);
  await pay("paid last").catch(() => undefined);
  expect(await stripe.invoices.retrieve(invoice.id)).toMatchObject({ status: "paid" });
  expect(await failureOf(charge(paid.status === "fulfilled" ? "at once" : "paid last"))).toMatchObject(reused);
  expect((await stripe.charges.list({ customer: customer.id })).data.length).toBe(1);
});

test("a draft of more credits than charges is refused by name, and a first period leaves such a credit pending", async () => {
  const { customer, draft } = await createDraft({ amounts: [-5_000] });
  const refused = { statusCode: 400, message: expect.stringContaining("below zero") };
  expect(await failureOf(stripe.invoices.finalizeInvoice(draft.id))).toMatchObject(refused);
  expect(await failureOf(stripe.invoices.pay(draft.id))).toMatchObject(refused);
  await stripe.invoices.del(draft.id);
  const recurring = { interval: "month" } as const;
  const price = { unit_amount: 1_500, currency: "usd", recurring, product_data: { name: "Gold" } };
  const { id } = await stripe.prices.create(price);
  const made = { customer: customer.id, items: [{ price: id }], expand: ["latest_invoice"] };
  const { latest_invoice: first } = await stripe.subscriptions.create(made);
  expect(first).toMatchObject({ status: "paid", total: 1_500 });
  const pending = await stripe.invoiceItems.list({ customer: customer.id, pending: true });
  expect(pending.data).toMatchObject([{ amount: -5_000 }]);
});

test("a declined card leaves the invoice open with its failed charge, and another card pays it", async () => {
  const { customer, invoice } = await createOpen({ source: "tok_chargeCustomerFail", amounts: [700] });
  const failure = await failureOf(stripe.invoices.pay(invoice.id));
  expect(failure).toBeInstanceOf(Stripe.errors.StripeCardError);
  expect(failure).toMatchObject({ statusCode: 402, code: "card_declined", charge: expect.stringMatching(/^ch_/) });
  expect(await stripe.invoices.retrieve(invoice.id)).toMatchObject({ status: "open", attempt_count: 1 });
  const card = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
  expect(await stripe.invoices.pay(invoice.id, { payment_method: card.id })).toMatchObject({ status: "paid" });
  const { data } = await stripe.invoicePayments.list({ invoice: invoice.id });
  expect(data.map(({ status }) => status)).toEqual(["paid", "canceled"]);
});

test("an invoice without a card is told so, and is paid out of band once", async () => {
  const customer = await stripe.customers.create({ email: "bob@example.com" });
  await stripe.invoiceItems.create({ customer: customer.id, amount: 500, currency: "usd" });
  const { id } = await stripe.invoices.create({ customer: customer.id, pending_invoice_items_behavior: "include" });
  const failure = await failureOf(stripe.invoices.pay(id));
  expect(failure).toMatchObject({ statusCode: 400, message: expect.stringContaining("no `default_payment_method`") });
  const key = { idempotencyKey: "cash" };
  const paid = await stripe.invoices.pay(id, { paid_out_of_band: true }, key);
  expect(paid).toMatchObject({ status: "paid", amount_paid: 500 });
  expect(await stripe.invoices.pay(id, { paid_out_of_band: true }, key)).toMatchObject({ id, status: "paid" });
  expect(await failureOf(stripe.invoices.pay(id, { paid_out_of_band: true }))).toMatchObject({
    message: "Invoice is already paid",
  });
});

test("an invoice is voided, given up and paid late, each only from where it may", async () => {
  const { invoice } = await createOpen();
  expect(await stripe.invoices.markUncollectible(invoice.id)).toMatchObject({ status: "uncollectible" });
  expect(await stripe.invoices.pay(invoice.id)).toMatchObject({ status: "paid" });
  expect(await failureOf(stripe.invoices.voidInvoice(invoice.id))).toMatchObject({ statusCode: 400 });
  const other = (await createOpen()).invoice;
  expect(await stripe.invoices.voidInvoice(other.id)).toMatchObject({ status: "void", number: other.number });
  expect(await failureOf(stripe.invoices.pay(other.id))).toMatchObject({ statusCode: 400 });
  expect(await failureOf(stripe.invoices.finalizeInvoice(other.id))).toMatchObject({
    message: "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
  });
  expect(await failureOf(stripe.invoices.retrieve("in_none"))).toMatchObject({
    statusCode: 404,
    code: "resource_missing",
    message: "No such invoice: 'in_none'",
  });
});

test("a draft is changed and deleted, its items pending again; a finalized one keeps its words", async () => {
  const { customer, draft } = await createDraft();
  const words = { description: "January", footer: "Thank you", metadata: { order: "1" } };
  const mailed = { collection_method: "send_invoice", days_until_due: 30 } as const;
  expect(await stripe.invoices.update(draft.id, { ...words, ...mailed })).toMatchObject({ ...words, total: 3_750 });
  expect((await stripe.invoices.retrieve(draft.id)).collection_method).toBe("send_invoice");
  expect(await stripe.invoices.del(draft.id)).toEqual({ id: draft.id, object: "invoice", deleted: true });
  expect((await stripe.invoiceItems.list({ customer: customer.id, pending: true })).data.length).toBe(2);
  const { invoice } = await createOpen();
  expect((await stripe.invoices.update(invoice.id, { metadata: { a: "b" } })).metadata).toEqual({ a: "b" });
  const refused = [stripe.invoices.update(invoice.id, { description: "x" }), stripe.invoices.del(invoice.id)];
  const failures = await Promise.all(refused.map(failureOf));
  expect(failures.map(({ code }) => code)).toEqual(["invoice_not_editable", "invoice_not_editable"]);
});

test("an item has an amount, a price or a unit amount, and changes until its invoice is finalized", async () => {
  const { id: customer } = await createCustomer();
  const draft = await stripe.invoices.create({ customer, currency: "eur" });
  expect(draft).toMatchObject({ total: 0, currency: "eur" });
  const item = await stripe.invoiceItems.create({
    customer,
    invoice: draft.id,
    unit_amount_decimal: "250",
    quantity: 3,
  } as never);
  expect(item).toMatchObject({ object: "invoiceitem", amount: 750, quantity: 3, currency: "eur", invoice: draft.id });
  expect((await stripe.invoiceItems.update(item.id, { quantity: 4, description: "Tea" })).amount).toBe(1_000);
  expect((await stripe.invoices.retrieve(draft.id)).total).toBe(1_000);
  expect(await stripe.invoiceItems.retrieve(item.id, { expand: ["invoice"] })).toMatchObject({
    description: "Tea",
    invoice: { id: draft.id, object: "invoice" },
  });
  const credit = await stripe.invoiceItems.create({ customer, invoice: draft.id, amount: -100 } as never);
  expect((await stripe.invoices.retrieve(draft.id)).total).toBe(900);
  expect(await stripe.invoiceItems.del(credit.id)).toMatchObject({ deleted: true, object: "invoiceitem" });
  await stripe.invoices.finalizeInvoice(draft.id);
  expect(await failureOf(stripe.invoiceItems.update(item.id, { quantity: 5 }))).toMatchObject({
    code: "invoice_not_editable",
  });
});

test("an invoice's lines are walked page by page", async () => {
  const { draft } = await createDraft({ amounts: Array.from({ length: 12 }, (_, index) => 100 + index) });
  expect([draft.lines.data.length, draft.lines.has_more]).toEqual([10, true]);
  const walked: number[] = [];
  for await (const { amount } of stripe.invoices.listLineItems(draft.id, { limit: 5 })) walked.push(amount);
  expect(walked).toEqual(Array.from({ length: 12 }, (_, index) => 100 + index));
  const [, , third] = (await stripe.invoices.listLineItems(draft.id, { limit: 3 })).data;
  const before = await stripe.invoices.listLineItems(draft.id, { limit: 1, ending_before: third?.id ?? "" });
  expect(before).toMatchObject({ data: [{ amount: 101 }], has_more: true });
});

test("what Tripe does not carry out is refused by name, and what makes no sense in words", async () => {
  const { id: customer } = await createCustomer();
  const refused = async (path: string, payload: string) =>
    (
      await bench.ask({
        method: "POST",
        url: path,
        payload,
        headers: { "content-type": "application/x-www-form-urlencoded" },
      })
    ).body.error;
  const invoice = (rest: string) => refused("/v1/invoices", `customer=${customer}&${rest}`);
  const item = (rest: string) => refused("/v1/invoiceitems", `customer=${customer}&${rest}`);
  expect(await invoice("due_date=1900000000")).toMatchObject({ code: "parameter_unknown", param: "due_date" });
  expect(await invoice("collection_method=send_invoice")).toMatchObject({ param: "days_until_due" });
  expect(await invoice("days_until_due=3")).toMatchObject({ param: "days_until_due" });
  expect(await invoice("currency=xxx")).toMatchObject({ param: "currency" });
  expect(await invoice("default_payment_method=pm_none")).toMatchObject({
    code: "resource_missing",
    param: "default_payment_method",
  });
  expect(await refused("/v1/invoices", "customer=cus_none")).toMatchObject({
    code: "resource_missing",
    param: "customer",
  });
  expect(await refused("/v1/invoiceitems", "amount=1&currency=usd")).toMatchObject({ param: "customer" });
  expect(await item("currency=usd")).toMatchObject({ code: "parameter_missing", param: "amount" });
  expect(await item("amount=1&unit_amount_decimal=1")).toMatchObject({ code: "parameters_exclusive" });
  expect(await item("unit_amount_decimal=0.5&currency=usd")).toMatchObject({ param: "unit_amount_decimal" });
  expect(await item("amount=100000000&currency=usd")).toMatchObject({ code: "amount_too_large" });
  expect(await item("unit_amount_decimal=99999999&quantity=999999999")).toMatchObject({ code: "amount_too_large" });
  expect(await item("pricing[price]=price_none")).toMatchObject({ code: "resource_missing", param: "pricing[price]" });
  expect(await item("amount=1&currency=usd&invoice=in_none")).toMatchObject({
    code: "resource_missing",
    param: "invoice",
  });
});

test("an item of a price takes its amount, currency and name; one that repeats or is not sold is refused", async () => {
  const { id: customer } = await createCustomer();
  const product = await stripe.products.create({ name: "Tea" });
  const price = await stripe.prices.create({ product: product.id, currency: "eur", unit_amount: 250 });
  const item = await stripe.invoiceItems.create({ customer, pricing: { price: price.id }, quantity: 3 });
  expect(item).toMatchObject({ amount: 750, currency: "eur", description: "Tea" });
  expect(item.pricing?.price_details).toMatchObject({ price: price.id, product: product.id });
  const older = await stripe.invoiceItems.create({ customer, price: price.id } as never);
  expect(older).toMatchObject({ amount: 250, quantity: 1 });
  // Nobody named a currency: the draft is in that of what waits.
  const draft = await stripe.invoices.create({ customer, pending_invoice_items_behavior: "include" });
  expect(draft).toMatchObject({ currency: "eur", total: 1_000 });
  const monthly = await stripe.prices.create({
    product: product.id,
    currency: "eur",
    unit_amount: 250,
    recurring: { interval: "month" },
  });
  const refused = stripe.invoiceItems.create({ customer, pricing: { price: monthly.id } });
  expect(await failureOf(refused)).toMatchObject({ message: expect.stringContaining("type=recurring") });
  await stripe.prices.update(price.id, { active: false });
  const inactive = stripe.invoiceItems.create({ customer, pricing: { price: price.id } });
  expect(await failureOf(inactive)).toMatchObject({ message: expect.stringContaining("inactive") });
});
