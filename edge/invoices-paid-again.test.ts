import Stripe from "stripe";
import { afterAll, expect, test, vi } from "vitest";
import { createClient } from "../services/_database/connect-client.ts";
import { createId } from "../services/_runtime/ids.ts";
import { readStatement } from "../services/bank/sandbox/statement.ts";
import { startBench } from "./testing/tripe.ts";

// The official SDK over real HTTP; twenty of them at once take their time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const bench = await startBench();
const stripe = await bench.stripe({ maxNetworkRetries: 0 });
const { tripe } = bench;
const database = createClient({ url: tripe.database.urls.owner, name: "tripe_test" });
await database.connect();
afterAll(() => database.end());

const GOOD_CARD = "tok_visa";
const DECLINED_CARD = "tok_chargeCustomerFail";

async function createOpen(source: string): Promise<Stripe.Invoice> {
  const { id: customer } = await stripe.customers.create({ email: "ann@example.com", source });
  await stripe.invoiceItems.create({ customer, amount: 2_500, currency: "usd" });
  const draft = await stripe.invoices.create({ customer, pending_invoice_items_behavior: "include" });
  return stripe.invoices.finalizeInvoice(draft.id);
}

/** Pays an invoice under a key; says what was answered: the invoice's status, or the error's code with its charge. */
async function pay(id: string, idempotencyKey: string, params: Stripe.InvoicePayParams = {}) {
  try {
    const { status, lastResponse } = await stripe.invoices.pay(id, params, { idempotencyKey });
    return { said: String(status), isReplayed: lastResponse.headers["idempotent-replayed"] === "true" };
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error;
    const said = [error.statusCode, error.code ?? error.type, error.charge].filter(Boolean).join(" ");
    return { said, isReplayed: error.headers?.["idempotent-replayed"] === "true" };
  }
}

/** Pays again while the equal request that came first is still at the bank, which each waits 2 s for. */
async function payUntilEnded(id: string, key: string): ReturnType<typeof pay> {
  for (let tries = 1; ; tries += 1) {
    const answer = await pay(id, key);
    const isUnderWay = answer.said === "open" || answer.said.includes("lock_timeout");
    if (!isUnderWay || tries === 10) return answer;
  }
}

/** The charges of an invoice as the tables have them, oldest first; and how many of them the bank carried out. */
async function chargesOf(invoiceId: string) {
  const { rows } = await database.query<{ charge_id: string; bank_ref: string; state: string; tries: string }>(
    `select c.charge_id, c.state, a.bank_ref from charge c join attempt a using (account_id, charge_id)
     where c.invoice_id = $1 order by c.charge_id`,
    [invoiceId],
  );
  const refs = new Set(rows.map((row) => row.bank_ref));
  let takenCount = 0;
  for await (const { bankRef } of readStatement(tripe.statementFile)) if (refs.has(bankRef)) takenCount += 1;
  return { states: rows.map(({ state }) => state), ids: rows.map((row) => row.charge_id), takenCount };
}

const newKey = () => createId("key_");

test("a pay repeated after its answer was lost is answered as at first, and charges once", async () => {
  const { id } = await createOpen(GOOD_CARD);
  const key = newKey();
  expect(await pay(id, key)).toEqual({ said: "paid", isReplayed: false });
  expect(await pay(id, key)).toEqual({ said: "paid", isReplayed: true });
  expect((await pay(id, newKey())).said).toBe("400 StripeInvalidRequestError");
  expect(await chargesOf(id)).toMatchObject({ states: ["succeeded"], takenCount: 1 });
});

test("a pay repeated after a decline says the same and asks the bank no more, whatever has paid the invoice since", async () => {
  const { id } = await createOpen(DECLINED_CARD);
  const [key, other] = [newKey(), newKey()];
  const declined = await pay(id, key);
  const [charge] = (await chargesOf(id)).ids;
  expect(declined).toEqual({ said: `402 card_declined ${charge}`, isReplayed: false });
  expect(await pay(id, key)).toEqual({ ...declined, isReplayed: true });
  expect((await chargesOf(id)).states).toEqual(["failed"]);
  const { customer } = await stripe.invoices.retrieve(id);
  const { id: source } = await stripe.customers.createSource(String(customer), { source: GOOD_CARD });
  expect((await pay(id, other, { source })).said).toBe("paid");
  expect([await pay(id, key), await pay(id, other, { source })]).toEqual([
    { ...declined, isReplayed: true },
    { said: "paid", isReplayed: true },
  ]);
  expect(await chargesOf(id)).toMatchObject({ states: ["failed", "succeeded"], takenCount: 1 });
});

test("a decline is told again of an invoice that was voided since", async () => {
  const { id } = await createOpen(DECLINED_CARD);
  const key = newKey();
  const { said } = await pay(id, key);
  await stripe.invoices.voidInvoice(id);
  expect((await pay(id, key)).said).toBe(said);
  expect((await pay(id, newKey())).said).toMatch(/^400/);
});

test("twenty equal pays at once by a card that is declined are one charge, and twenty equal answers", async () => {
  const { id } = await createOpen(DECLINED_CARD);
  const key = newKey();
  const answers = await Promise.all(Array.from({ length: 20 }, () => payUntilEnded(id, key)));
  const { ids, states } = await chargesOf(id);
  expect(states).toEqual(["failed"]);
  expect(new Set(answers.map(({ said }) => said))).toEqual(new Set([`402 card_declined ${ids[0]}`]));
});

test("two keys at once on a card that is declined: a second attempt begins only after the first has ended", async () => {
  const { id } = await createOpen(DECLINED_CARD);
  const keys = [newKey(), newKey()];
  const answers = await Promise.all(keys.map((key) => payUntilEnded(id, key)));
  for (const { said } of answers) expect(said).toMatch(/^402 card_declined ch_/);
  const { ids, states } = await chargesOf(id);
  expect(new Set(states)).toEqual(new Set(["failed"]));
  expect(ids.length).toBeLessThanOrEqual(2);
  const { rows } = await database.query<{ is_overlapping: boolean }>(
    `select exists (select from charge one join charge other using (account_id, invoice_id)
      where invoice_id = $1 and one.charge_id < other.charge_id and other.create_time < one.settle_time) as is_overlapping`,
    [id],
  );
  expect(rows).toEqual([{ is_overlapping: false }]);
});

test("two keys at once on a good card charge once, and each is told so again", async () => {
  const { id } = await createOpen(GOOD_CARD);
  const keys = [newKey(), newKey()];
  expect((await Promise.all(keys.map((key) => payUntilEnded(id, key)))).map(({ said }) => said)).toEqual([
    "paid",
    "paid",
  ]);
  expect(await Promise.all(keys.map((key) => pay(id, key)))).toEqual(Array(2).fill({ said: "paid", isReplayed: true }));
  expect(await chargesOf(id)).toMatchObject({ states: ["succeeded"], takenCount: 1 });
});

test("a key that paid one invoice pays no other, and not the same by another card", async () => {
  const [one, other] = [await createOpen(DECLINED_CARD), await createOpen(GOOD_CARD)];
  const key = newKey();
  await pay(one.id, key);
  const { id: source } = await stripe.customers.createSource(String(one.customer), { source: GOOD_CARD });
  const answers = [await pay(one.id, key, { source }), await pay(other.id, key)];
  expect(answers.map(({ said }) => said)).toEqual(Array(2).fill("400 StripeIdempotencyError"));
  expect([(await chargesOf(one.id)).states, (await chargesOf(other.id)).states]).toEqual([["failed"], []]);
});
