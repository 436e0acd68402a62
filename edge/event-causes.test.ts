import type Stripe from "stripe";
import { afterAll, expect, test, vi } from "vitest";
import { Sweep } from "../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { systemClock } from "../services/_runtime/clock.ts";
import { setupBilling, startTestScheduler } from "../services/scheduler/testing/billing.ts";
import { makeDue, selectRows } from "../services/transactions/testing.ts";
import { startBench } from "./testing/tripe.ts";

// Real sockets and a printing thread take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

// What `request` of an event says, by what caused it. The SDK prepares; what causes is asked without it, since it makes up
// a key for every request that has none.
const bench = await startBench();
const { tripe } = bench;
const stripe = await bench.stripe();
const billing = await setupBilling(tripe);
afterAll(() => billing.close());

const common = { amount: 2_000, currency: "usd" } as const;
const customerWith = (source: string) => stripe.customers.create({ email: "ann@example.com", source });
const hold = () => stripe.charges.create({ ...common, source: "tok_visa", capture: false });
const gold = await stripe.prices.create({
  currency: "usd",
  unit_amount: 1_000,
  recurring: { interval: "month" },
  product_data: { name: "Gold" },
});

async function draft(source: string, terms: Stripe.InvoiceCreateParams = {}) {
  const customer = (await customerWith(source)).id;
  await stripe.invoiceItems.create({ customer, ...common });
  return stripe.invoices.create({ customer, pending_invoice_items_behavior: "include", ...terms });
}

/** A request, and what is told of it among other things; some need something that is there before. */
interface Case {
  prepare?(): Promise<{ readonly id: string }>;
  ask(id: string): readonly [path: string, params: Record<string, string>];
  readonly types: readonly string[];
}

const money = { amount: "2000", currency: "usd" };
const paid = ["charge.succeeded", "invoice.paid", "invoice.payment_succeeded"];
const cases: Readonly<Record<string, Case>> = {
  "making a customer": {
    ask: () => ["customers", { source: "tok_visa" }],
    types: ["customer.created", "payment_method.attached"],
  },
  "changing a customer": {
    prepare: () => customerWith("tok_visa"),
    ask: (id) => [`customers/${id}`, { name: "Ann" }],
    types: ["customer.updated"],
  },
  "a charge": { ask: () => ["charges", { ...money, source: "tok_visa" }], types: ["charge.succeeded"] },
  "a declined charge": {
    ask: () => ["charges", { ...money, source: "tok_chargeDeclined" }],
    types: ["charge.failed"],
  },
  "a return": {
    prepare: () => stripe.charges.create({ ...common, source: "tok_visa" }),
    ask: (charge) => ["refunds", { charge, amount: "500" }],
    types: ["charge.refunded", "refund.created"],
  },
  "a capture": { prepare: hold, ask: (id) => [`charges/${id}/capture`, {}], types: ["charge.captured"] },
  "the release of a hold": {
    prepare: hold,
    ask: (charge) => ["refunds", { charge }],
    types: ["charge.refunded", "refund.created"],
  },
  "paying a draft": {
    prepare: () => draft("tok_visa"),
    ask: (id) => [`invoices/${id}/pay`, {}],
    types: ["invoice.finalized", ...paid],
  },
  "paying a draft that is declined": {
    prepare: () => draft("tok_chargeCustomerFail"),
    ask: (id) => [`invoices/${id}/pay`, {}],
    types: ["invoice.finalized", "charge.failed", "invoice.payment_failed"],
  },
  "sending a draft": {
    prepare: () => draft("tok_visa", { collection_method: "send_invoice", days_until_due: 7 }),
    ask: (id) => [`invoices/${id}/send`, {}],
    types: ["invoice.finalized", "invoice.sent"],
  },
  "a subscription": {
    prepare: () => customerWith("tok_visa"),
    ask: (customer) => ["subscriptions", { customer, "items[0][price]": gold.id }],
    types: ["customer.subscription.created", "invoice.created", ...paid, "customer.subscription.updated"],
  },
  "a subscription that is taken back": {
    prepare: () => customerWith("tok_chargeCustomerFail"),
    ask: (customer) => [
      "subscriptions",
      { customer, "items[0][price]": gold.id, payment_behavior: "error_if_incomplete" },
    ],
    types: ["charge.failed"],
  },
};

/** Sends a request, and gives the id it is answered with and the events told since, the newest first. */
async function cause([path, params]: ReturnType<Case["ask"]>, key?: string) {
  const before = await newest();
  const { headers } = await bench.ask({
    method: "POST",
    url: `/v1/${path}`,
    payload: new URLSearchParams(params).toString(),
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      ...(key !== undefined && { "idempotency-key": key }),
    },
  });
  expect(headers["request-id"]).toMatch(/^req_/);
  return { requestId: headers["request-id"], events: await toldSince(before) };
}

/** The newest event there is. */
async function newest(): Promise<string> {
  return (await stripe.events.list({ limit: 1 })).data[0]?.id ?? "";
}

async function toldSince(eventId: string): Promise<Stripe.Event[]> {
  return (await stripe.events.list({ ending_before: eventId, limit: 100 })).data;
}

/** Holds that events of at least these types were told, and that each of them names this cause. */
function expectCause(events: readonly Stripe.Event[], types: readonly string[], request: Stripe.Event["request"]) {
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining([...types]));
  expect(events.map((event) => [event.type, event.request])).toEqual(events.map(({ type }) => [type, request]));
}

test.each(Object.entries(cases))(
  "every event of %s names that request, and the key as it was sent",
  async (name, of) => {
    // One ends like a step of another key, one begins like what Tripe does by itself.
    for (const key of [undefined, `${name}, 5% of it/1`, `in_${name}`]) {
      const { id } = (await of.prepare?.()) ?? { id: "" };
      const { requestId, events } = await cause(of.ask(id), key);
      expectCause(events, of.types, { id: String(requestId), idempotency_key: key ?? null });
    }
  },
);

test("the same request again causes nothing: its events name the one that was first", async () => {
  const charge = ["charges", { ...money, source: "tok_visa" }] as const;
  const first = await cause(charge, "again");
  expectCause(first.events, ["charge.succeeded"], { id: String(first.requestId), idempotency_key: "again" });
  expect((await cause(charge, "again")).events).toEqual([]);
});

const RESOLVED = { "a charge without a key": undefined, "a charge with a key": "late/1" };

test.each(Object.entries(RESOLVED))("the late end of %s names the request that began it", async (_name, key) => {
  const card = { number: "4242424242424242", exp_month: "12", exp_year: "2034" };
  const source = (await stripe.tokens.create({ card })).id;
  bench.failNext({ kind: "malformed", lateMs: 0 });
  const { requestId, events } = await cause(["charges", { ...money, source }], key);
  const request = { id: String(requestId), idempotency_key: key ?? null };
  expectCause(events, ["charge.pending"], request);
  const [pending] = events;
  const before = await newest();
  if (pending?.type !== "charge.pending") throw new Error("the charge is pending");
  await makeDue(tripe, pending.data.object.id);
  await tripe.clientsOf("scheduler").transactions.resolveAttempts({ limit: 10 });
  expectCause(await toldSince(before), ["charge.succeeded"], request);
});

const NOBODY = { id: null, idempotency_key: null };

test("what is renewed, finalized and collected by itself names no request", async () => {
  const scheduler = startTestScheduler(tripe);
  const customerId = await billing.createCustomer();
  // Five weeks: one period is over.
  const anchor = new Date(systemClock.nowMs() - 35 * 86_400_000);
  await billing.createSubscription({ customerId, anchor });
  const before = await newest();
  await scheduler.run(Sweep.RENEWALS);
  await scheduler.run(Sweep.COLLECTIONS);
  const types = ["customer.subscription.updated", "invoice.created", "invoice.finalized", ...paid];
  expectCause(await toldSince(before), types, NOBODY);
});

test("the hold that is let go by itself names no request", async () => {
  const { id } = await hold();
  const over = "update charge set capture_before_time = business_now(account_id) - interval '1 s' where charge_id = $1";
  await selectRows(tripe, over, id);
  const before = await newest();
  await tripe.clientsOf("scheduler").transactions.expireHolds({ limit: 10 });
  expectCause(await toldSince(before), ["charge.expired"], NOBODY);
});
