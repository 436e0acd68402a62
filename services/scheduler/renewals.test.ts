import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { afterAll, expect, test, vi } from "vitest";
import { InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { Sweep } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { systemClock } from "../_runtime/clock.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestTripe } from "../testing.ts";
import { renewDue } from "./renew.ts";
import { DECLINED_CARD, setupBilling, startTestScheduler } from "./testing/billing.ts";

// A machine that does other things too.
vi.setConfig({ testTimeout: 60_000 });

const tripe = await startTestTripe();
const billing = await setupBilling(tripe);
afterAll(() => billing.close());

const DAY_MS = 86_400_000;
const ago = (days: number) => new Date(Math.trunc(systemClock.nowMs() / 1000) * 1000 - days * DAY_MS);

test("months behind are billed one a sweep, in order, from the anchor", async () => {
  const scheduler = startTestScheduler(tripe);
  await settleInitial(scheduler);
  const customerId = await billing.createCustomer();
  const anchor = new Date("2026-01-31T10:00:00Z");
  const id = await billing.createSubscription({ customerId, anchor });
  for (const [index, end] of [
    [1, "2026-03-31"],
    [2, "2026-04-30"],
    [3, "2026-05-31"],
  ] as const) {
    expect(await scheduler.run(Sweep.RENEWALS)).toMatchObject({ takenCount: 1, doneCount: 1 });
    expect(await scheduler.run(Sweep.COLLECTIONS)).toMatchObject({ takenCount: 1, doneCount: 1 });
    const subscription = await billing.subscription(id);
    expect(subscription).toMatchObject({ periodIndex: index, state: SubscriptionState.ACTIVE });
    expect(timeOf(subscription.periodEndTime)).toBe(`${end}T10:00:00.000Z`);
  }
  const invoices = await billing.invoices(id);
  expect(invoices.map(({ periodIndex, state }) => [periodIndex, state])).toEqual(
    [1, 2, 3].map((index) => [index, InvoiceState.PAID]),
  );
  const numbers = invoices.map(({ number }) => number);
  expect(numbers).toEqual(numbers.toSorted());
  expect(invoices[0]).toMatchObject({ totalMinor: 2_000n, lines: [{ quantity: 2n, amountMinor: 2_000n }] });
  expect(invoices[0]?.lines[0]?.description).toBe("2 × Gold (at $10.00 / month)");
  // The merchant's items were added in the period before the billed one.
  const before = invoices.map(({ previousPeriodStartTime }) => timeOf(previousPeriodStartTime)?.slice(0, 10));
  expect(before.slice(1)).toEqual(["2026-02-28", "2026-03-31"]);
  await endNow(id);
});

test("a scheduler catches up by itself, and no month is left out or billed twice", async () => {
  const customerId = await billing.createCustomer();
  const id = await billing.createSubscription({ customerId, anchor: ago(31 * 7) });
  const scheduler = startTestScheduler(tripe, { ticks: true });
  await vi.waitUntil(async () => (await billing.invoices(id, InvoiceState.PAID)).length >= 7, { timeout: 20_000 });
  await scheduler.stop();
  const invoices = await billing.invoices(id);
  expect(invoices.map(({ periodIndex }) => periodIndex)).toEqual(invoices.map((_, index) => index + 1));
  const numbers = invoices.map(({ number }) => number);
  expect(numbers).toEqual(numbers.toSorted());
  expect(timestampDate((await billing.subscription(id)).periodEndTime ?? never()).getTime()).toBeGreaterThan(
    systemClock.nowMs(),
  );
});

test("a trial ends with the first real invoice, of period 0 from the anchor", async () => {
  const scheduler = startTestScheduler(tripe);
  await settleInitial(scheduler);
  const customerId = await billing.createCustomer();
  const [trialStart, anchor] = [timestampFromDate(ago(8)), ago(1)];
  const trialEnd = timestampFromDate(anchor);
  const change = {
    state: SubscriptionState.TRIALING,
    periodIndex: -1,
    periodStartTime: trialStart,
    periodEndTime: trialEnd,
    trialStartTime: trialStart,
    trialEndTime: trialEnd,
  };
  const id = await billing.createSubscription({ customerId, anchor, change });
  await scheduler.run(Sweep.RENEWALS);
  await scheduler.run(Sweep.COLLECTIONS);
  expect(await billing.subscription(id)).toMatchObject({
    state: SubscriptionState.ACTIVE,
    periodIndex: 0,
    periodStartTime: trialEnd,
  });
  expect(await billing.invoices(id)).toMatchObject([{ periodIndex: 0, state: InvoiceState.PAID }]);
});

test("what a customer owes beside it is billed with the renewal, once, though two subscriptions are due", async () => {
  const scheduler = startTestScheduler(tripe);
  await settleInitial(scheduler);
  const customerId = await billing.createCustomer();
  const owe = (invoiceItemId: string, currencyCode: string) =>
    billing.edge.writer.createInvoiceItem({
      ...billing.key(),
      invoiceItem: { invoiceItemId, customerId, currencyCode, amountMinor: 300n, quantity: 1n, description: "Extra" },
    });
  const [dollars, euros] = [createId("ii_"), createId("ii_")];
  await owe(dollars, "USD");
  await owe(euros, "EUR");
  const ids = [
    await billing.createSubscription({ customerId, anchor: ago(40) }),
    await billing.createSubscription({ customerId, anchor: ago(40) }),
  ];
  expect(await scheduler.run(Sweep.RENEWALS)).toMatchObject({ takenCount: 2, doneCount: 2 });
  await scheduler.run(Sweep.COLLECTIONS);
  const invoices = (await Promise.all(ids.map((id) => billing.invoices(id)))).flat();
  expect(invoices.map(({ totalMinor }) => totalMinor).toSorted()).toEqual([2_000n, 2_300n]);
  const taken = invoices.flatMap(({ lines }) => lines.map((line) => line.invoiceItemId)).filter((id) => id !== "");
  expect(taken).toEqual([dollars]);
});

test("a renewal takes credits up to its sum, and leaves the others pending", async () => {
  const scheduler = startTestScheduler(tripe);
  await settleInitial(scheduler);
  const customerId = await billing.createCustomer();
  const credit = async (amountMinor: bigint) => {
    const invoiceItem = { invoiceItemId: createId("ii_"), customerId, currencyCode: "USD", amountMinor, quantity: 1n };
    await billing.edge.writer.createInvoiceItem({
      ...billing.key(),
      invoiceItem: { ...invoiceItem, description: "Off" },
    });
    return invoiceItem.invoiceItemId;
  };
  const large = await credit(-5_000n);
  await credit(-500n);
  const id = await billing.createSubscription({ customerId, anchor: ago(31) });
  await scheduler.run(Sweep.RENEWALS);
  await scheduler.run(Sweep.COLLECTIONS);
  expect(await billing.invoices(id)).toMatchObject([{ state: InvoiceState.PAID, totalMinor: 1_500n }]);
  const pending = "select invoice_item_id from invoice_item where customer_id = $1 and invoice_id is null";
  expect(await billing.read(pending, customerId)).toEqual([{ invoice_item_id: large }]);
  await endNow(id);
});

test("a subscription that ends with its period is not billed again", async () => {
  const scheduler = startTestScheduler(tripe);
  await settleInitial(scheduler);
  const customerId = await billing.createCustomer();
  const id = await billing.createSubscription({ customerId, anchor: ago(40), change: { isEndingWithPeriod: true } });
  expect(await scheduler.run(Sweep.RENEWALS)).toMatchObject({ takenCount: 1, doneCount: 1 });
  expect((await billing.subscription(id)).state).toBe(SubscriptionState.CANCELED);
  expect(await billing.invoices(id)).toEqual([]);
  expect(await scheduler.run(Sweep.RENEWALS)).toMatchObject({ takenCount: 0 });
});

test.each([
  ["a period", {}],
  ["a trial", { state: SubscriptionState.TRIALING, periodIndex: -1 }],
])("what is pending when a subscription ends with %s is charged, and it ended when that did", async (_, change) => {
  const scheduler = startTestScheduler(tripe);
  await settleInitial(scheduler);
  const customerId = await billing.createCustomer();
  const id = await billing.createSubscription({
    customerId,
    anchor: ago(40),
    change: { isEndingWithPeriod: true, ...change },
  });
  const item = { invoiceItemId: createId("ii_"), customerId, currencyCode: "USD", amountMinor: 700n, quantity: 1n };
  await billing.edge.writer.createInvoiceItem({ ...billing.key(), invoiceItem: { ...item, description: "Extra" } });
  await scheduler.run(Sweep.RENEWALS);
  const ended = await billing.subscription(id);
  expect([ended.state, ended.endTime]).toEqual([SubscriptionState.CANCELED, ended.periodEndTime]);
  await scheduler.run(Sweep.COLLECTIONS);
  const paid = "select state, paid_minor from invoice where customer_id = $1 and subscription_id is null";
  expect(await billing.read(paid, customerId)).toEqual([{ state: "paid", paid_minor: 700n }]);
});

test("a subscription whose first invoice is not paid in 23 hours expires", async () => {
  const scheduler = startTestScheduler(tripe);
  await settleInitial(scheduler);
  const customerId = await billing.createCustomer();
  const change = { state: SubscriptionState.INCOMPLETE };
  const id = await billing.createSubscription({ customerId, anchor: ago(1), change });
  expect(await scheduler.run(Sweep.RENEWALS)).toMatchObject({ takenCount: 0 });
  await billing.read("update subscription set renew_time = statement_timestamp() where subscription_id = $1", id);
  expect(await scheduler.run(Sweep.RENEWALS)).toMatchObject({ takenCount: 1, doneCount: 1 });
  expect((await billing.subscription(id)).state).toBe(SubscriptionState.INCOMPLETE_EXPIRED);
});

test("one that is let go on while the sweep holds it is not ended, and is billed when its lease is over", async () => {
  const scheduler = startTestScheduler(tripe);
  await settleInitial(scheduler);
  const customerId = await billing.createCustomer();
  const id = await billing.createSubscription({ customerId, anchor: ago(40), change: { isEndingWithPeriod: true } });
  const clients = tripe.clientsOf("scheduler");
  const leaseRenewals: typeof clients.writer.leaseRenewals = async (request) => {
    const leased = await clients.writer.leaseRenewals(request);
    const subscription = { subscriptionId: id, currencyCode: "USD", isEndingWithPeriod: false };
    const updateMask = { paths: ["is_ending_with_period"] };
    await billing.edge.writer.updateSubscription({ ...billing.key(), subscription, updateMask });
    return leased;
  };
  const overtaken = { ...clients, writer: { ...clients.writer, leaseRenewals } };
  const run = await renewDue({ clients: overtaken, clock: systemClock, log: scheduler.log });
  expect(run).toMatchObject({ takenCount: 1, doneCount: 0 });
  expect((await billing.subscription(id)).state).toBe(SubscriptionState.ACTIVE);
  await billing.read("update subscription set lease_end_time = null where subscription_id = $1", id);
  expect(await scheduler.run(Sweep.RENEWALS)).toMatchObject({ takenCount: 1, doneCount: 1 });
  expect((await billing.subscription(id)).periodIndex).toBe(1);
  expect(scheduler.log.errors).toEqual([]);
  await endNow(id);
});

test("a first payment that is at the bank when its 23 hours are over decides later, and is no failure", async () => {
  const scheduler = startTestScheduler(tripe);
  await settleInitial(scheduler);
  const customerId = await billing.createCustomer();
  const change = { state: SubscriptionState.INCOMPLETE };
  const id = await billing.createSubscription({ customerId, anchor: ago(1), change });
  const [invoice] = await billing.read<{ invoice_id: string }>(
    "update invoice set state = 'open', pay_time = null, amount_due_minor = 500 where subscription_id = $1 returning invoice_id",
    id,
  );
  const ids = { chargeId: createId("ch_"), attemptId: createId("att_"), invoiceId: invoice?.invoice_id ?? "" };
  await tripe.clientsOf("transactions").writer.beginCollection({ ...billing.key(), ...ids });
  await billing.read("update subscription set renew_time = statement_timestamp() where subscription_id = $1", id);
  expect(await scheduler.run(Sweep.RENEWALS)).toMatchObject({ takenCount: 1, doneCount: 0 });
  expect((await billing.subscription(id)).state).toBe(SubscriptionState.INCOMPLETE);
  expect(scheduler.log.errors).toEqual([]);
});

test("a declined renewal leaves the subscription past due, is tried again after 1, 3, 7 and 14 days, and then given up", async () => {
  const scheduler = startTestScheduler(tripe);
  await settleInitial(scheduler);
  const customerId = await billing.createCustomer(DECLINED_CARD);
  const id = await billing.createSubscription({ customerId, anchor: ago(31) });
  await scheduler.run(Sweep.RENEWALS);
  const waits: number[] = [];
  for (;;) {
    expect(await scheduler.run(Sweep.COLLECTIONS)).toMatchObject({ takenCount: 1, doneCount: 1 });
    // A second sweep finds nothing: the next attempt is not due.
    expect(await scheduler.run(Sweep.COLLECTIONS)).toMatchObject({ takenCount: 0 });
    const [invoice] = await billing.invoices(id);
    expect(invoice).toMatchObject({ state: InvoiceState.OPEN, attemptCount: waits.length + 1 });
    if (invoice?.nextAttemptTime === undefined) break;
    expect((await billing.subscription(id)).state).toBe(SubscriptionState.PAST_DUE);
    waits.push(Math.round((timestampDate(invoice.nextAttemptTime).getTime() - systemClock.nowMs()) / DAY_MS));
    await billing.read(
      "update invoice set next_attempt_time = statement_timestamp() where invoice_id = $1",
      invoice.invoiceId,
    );
  }
  expect(waits).toEqual([1, 3, 7, 14]);
  expect([SubscriptionState.CANCELED, SubscriptionState.UNPAID]).toContain((await billing.subscription(id)).state);
  const charges = await billing.read("select state from charge where customer_id = $1", customerId);
  expect(charges).toEqual(Array.from({ length: 5 }, () => ({ state: "failed" })));
});

test("a subscription whose price is broken does not keep the others from being billed", async () => {
  const scheduler = startTestScheduler(tripe);
  await settleInitial(scheduler);
  const customerId = await billing.createCustomer();
  const broken = await billing.createSubscription({ customerId, anchor: ago(41) });
  const sound = await billing.createSubscription({ customerId, anchor: ago(40) });
  await billing.read("delete from subscription_item where subscription_id = $1", broken);
  expect(await scheduler.run(Sweep.RENEWALS)).toMatchObject({ takenCount: 2, doneCount: 1 });
  expect((await billing.subscription(sound)).periodIndex).toBe(1);
  expect(scheduler.log.errors).toMatchObject([{ message: "rows of a sweep failed" }]);
  await endNow(broken);
});

/** Lets the sweeps that a scheduler starts with find nothing. */
async function settleInitial(scheduler: ReturnType<typeof startTestScheduler>): Promise<void> {
  for (const sweep of [Sweep.RENEWALS, Sweep.COLLECTIONS, Sweep.MAILS]) await scheduler.run(sweep);
}

/** Takes a subscription out of the way of the tests that follow. */
async function endNow(subscriptionId: string): Promise<void> {
  await billing.edge.writer.cancelSubscription({ ...billing.key(), subscriptionId });
}

function timeOf(time: Parameters<typeof timestampDate>[0] | undefined): string {
  return timestampDate(time ?? never()).toISOString();
}

function never(): never {
  throw new Error("there is a time");
}
