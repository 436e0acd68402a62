import { expect, test } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestTripe } from "../testing.ts";
import { createBillingSteps, line } from "../writer/testing-billing.ts";
import { createSteps, effectsOf, makeDue, selectRows } from "./testing.ts";

const tripe = await startTestTripe();
const { accountId } = tripe;
/** Declined each time, but perhaps not in a week; and one that no bank will ever take. */
const DECLINED_CARD = "4000000000009995";
const STOLEN_CARD = "4000000000009979";

function setup() {
  const { edge, createPayer } = createSteps(tripe);
  const billing = createBillingSteps(edge.writer, accountId);
  const collect = (invoiceId: string) =>
    edge.transactions.collectInvoice({ accountId, requestId: createId("req_"), invoiceId });
  /** The schedule's next attempt, whose time has come. */
  const collectDue = async (invoiceId: string) => {
    const text = "update invoice set next_attempt_time = business_now(account_id, customer_id) where invoice_id = $1";
    await selectRows(tripe, text, invoiceId);
    const request = { accountId, requestId: createId("req_"), invoiceId, isScheduled: true };
    return tripe.clientsOf("scheduler").transactions.collectInvoice(request);
  };
  const createOpen = async (number?: string) =>
    billing.createOpen((await createPayer(number)).customerId, [line()], { isAutoAdvancing: true });
  const chargesOf = (invoiceId: string) =>
    selectRows<{ charge_id: string; state: string }>(
      tripe,
      "select charge_id, state from charge where invoice_id = $1 order by charge_id",
      invoiceId,
    );
  const subscribe = async (number?: string) => {
    const { customerId } = await createPayer(number);
    return billing.subscribe(customerId, await billing.createPrice());
  };
  const stateOf = async (subscriptionId: string) =>
    (await edge.reader.getSubscription({ accountId, subscriptionId })).subscription?.state;
  return { edge, createPayer, ...billing, collect, collectDue, createOpen, chargesOf, subscribe, stateOf };
}

/** Days from now until the next attempt, to the hour. */
const daysUntil = (time: { seconds: bigint } | undefined, from: { seconds: bigint } | undefined) =>
  Math.round(Number((time?.seconds ?? 0n) - (from?.seconds ?? 0n)) / 3_600) / 24;

test("an invoice collected ten times at once is charged once, and the bank has one effect", async () => {
  const { createOpen, collect, chargesOf, edge } = setup();
  const { invoiceId } = await createOpen();
  const answers = await Promise.all(Array.from({ length: 10 }, () => collect(invoiceId)));
  expect(answers.map(({ invoice }) => invoice?.state)).toEqual(answers.map(() => InvoiceState.PAID));
  const [charge, ...others] = await chargesOf(invoiceId);
  expect([charge?.state, others]).toEqual(["succeeded", []]);
  expect(await effectsOf(tripe, charge?.charge_id ?? "")).toHaveLength(1);
  const { invoicePayments } = await edge.reader.listInvoicePayments({ accountId, invoiceId });
  expect(invoicePayments).toMatchObject([{ amount: { amountMinor: 2500n } }]);
});

test("a declined invoice is tried again after 1, 3, 7 and 14 days, and then no more", async () => {
  const { createOpen, collectDue, chargesOf } = setup();
  const { invoiceId, finalizeTime } = await createOpen(DECLINED_CARD);
  const days: (number | undefined)[] = [];
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const { invoice, charge } = await collectDue(invoiceId);
    expect([charge?.state, invoice?.attemptCount]).toEqual([ChargeState.FAILED, attempt + 1]);
    days.push(invoice?.nextAttemptTime && daysUntil(invoice.nextAttemptTime, finalizeTime));
  }
  expect(days).toEqual([1, 3, 7, 14, undefined]);
  expect(await chargesOf(invoiceId)).toHaveLength(5);
});

test("a hard decline is not tried again", async () => {
  const { createOpen, collect } = setup();
  const { invoiceId } = await createOpen(STOLEN_CARD);
  const { invoice, charge } = await collect(invoiceId);
  expect([charge?.decline?.reason, invoice?.nextAttemptTime]).toEqual(["stolen_card", undefined]);
});

test("an active subscription is past due when a renewal is declined, and ends when the ladder does", async () => {
  const { edge, key, subscribe, renewRequest, collect, collectDue, stateOf } = setup();
  const scheduler = tripe.clientsOf("scheduler");
  const { subscription, invoiceId } = await subscribe(DECLINED_CARD);
  const { subscriptionId } = subscription;
  await collect(invoiceId);
  expect(await stateOf(subscriptionId)).toBe(SubscriptionState.INCOMPLETE);
  await edge.writer.payInvoiceOutOfBand({ ...key(), invoiceId });
  expect(await stateOf(subscriptionId)).toBe(SubscriptionState.ACTIVE);
  const renewal = renewRequest(subscription, 1);
  await scheduler.writer.renewSubscription(renewal);
  await edge.writer.finalizeInvoice({ ...key(), invoiceId: renewal.invoice.invoiceId });
  const states = [];
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await collectDue(renewal.invoice.invoiceId);
    states.push(await stateOf(subscriptionId));
  }
  const { PAST_DUE, CANCELED } = SubscriptionState;
  expect(states).toEqual([PAST_DUE, PAST_DUE, PAST_DUE, PAST_DUE, CANCELED]);
});

test("who pays by hand after the first attempt moves no retry and ends no subscription, dead callers included", async () => {
  const { edge, key, subscribe, renewRequest, collect, collectDue, stateOf, chargesOf } = setup();
  const { subscription, invoiceId: firstId } = await subscribe(DECLINED_CARD);
  await edge.writer.payInvoiceOutOfBand({ ...key(), invoiceId: firstId });
  const renewal = renewRequest(subscription, 1);
  await tripe.clientsOf("scheduler").writer.renewSubscription(renewal);
  const { invoiceId } = renewal.invoice;
  await edge.writer.finalizeInvoice({ ...key(), invoiceId });
  const { invoice: before } = await collectDue(invoiceId);
  expect(before?.attemptCount).toBe(1);
  for (let time = 0; time < 7; time += 1) {
    const { charge, invoice } = await collect(invoiceId);
    expect(charge?.state).toBe(ChargeState.FAILED);
    expect([invoice?.attemptCount, invoice?.nextAttemptTime]).toEqual([1, before?.nextAttemptTime]);
  }
  const ids = { chargeId: createId("ch_"), attemptId: createId("att_") };
  const { writer } = tripe.clientsOf("transactions");
  await writer.beginCollection({ ...key(), invoiceId, ...ids });
  await makeDue(tripe, ids.chargeId);
  await tripe.clientsOf("scheduler").transactions.resolveAttempts({ limit: 10 });
  // Without a delay, as after a hard decline: whoever finishes it does not know who began it.
  const end = { accountId, requestId: ids.chargeId, invoiceId, chargeId: ids.chargeId };
  const { invoice: settled } = await writer.settleCollection(end);
  expect([settled?.attemptCount, settled?.nextAttemptTime]).toEqual([1, before?.nextAttemptTime]);
  expect(await stateOf(subscription.subscriptionId)).toBe(SubscriptionState.PAST_DUE);
  expect((await collectDue(invoiceId)).invoice?.attemptCount).toBe(2);
  expect(await chargesOf(invoiceId)).toHaveLength(10);
});

test("a subscription is paid by its first collection", async () => {
  const { subscribe, collect, stateOf } = setup();
  const { subscription, invoiceId } = await subscribe();
  await collect(invoiceId);
  expect(await stateOf(subscription.subscriptionId)).toBe(SubscriptionState.ACTIVE);
});

test("a crash between the bank and the settlement is made good by collecting again: paid, once", async () => {
  const { edge, createOpen, collect, chargesOf } = setup();
  const { invoiceId } = await createOpen();
  // The transactions service dies after commit A: the charge is begun and nobody asks the bank.
  const { writer } = tripe.clientsOf("transactions");
  const ids = { chargeId: createId("ch_"), attemptId: createId("att_") };
  await writer.beginCollection({ accountId, requestId: createId("req_"), invoiceId, ...ids });
  await tripe.stopService("transactions");
  await tripe.startService("transactions");
  expect((await collect(invoiceId)).charge).toMatchObject({ chargeId: ids.chargeId, state: ChargeState.PENDING });
  await makeDue(tripe, ids.chargeId);
  await tripe.clientsOf("scheduler").transactions.resolveAttempts({ limit: 10 });
  // The charge has succeeded, and the writer is away before the consequence for the invoice is drawn.
  const before = await edge.reader.getInvoice({ accountId, invoiceId });
  expect(before.invoice?.state).toBe(InvoiceState.OPEN);
  await tripe.stopService("writer");
  await expect(collect(invoiceId)).rejects.toThrow();
  await tripe.startService("writer");
  const both = await Promise.all([collect(invoiceId), collect(invoiceId)]);
  expect(both.map(({ invoice }) => invoice?.state)).toEqual([InvoiceState.PAID, InvoiceState.PAID]);
  expect(await chargesOf(invoiceId)).toHaveLength(1);
  expect(await effectsOf(tripe, ids.chargeId)).toHaveLength(1);
  const told = "select 1 from event where object_id = $1 and type = 'invoice.paid'";
  expect(await selectRows(tripe, told, invoiceId)).toHaveLength(1);
});

test("whoever lost the answer of commit A gets its attempt again, and nobody else does", async () => {
  const { createOpen } = setup();
  const { invoiceId } = await createOpen();
  const { writer } = tripe.clientsOf("transactions");
  const ids = () => ({ chargeId: createId("ch_"), attemptId: createId("att_") });
  const request = { accountId, requestId: createId("req_"), invoiceId, ...ids() };
  const first = await writer.beginCollection(request);
  const again = await writer.beginCollection(request);
  expect(again.attempt?.attemptId).toBe(request.attemptId);
  expect(again).toEqual(first);
  const others = await writer.beginCollection({ ...request, ...ids() });
  expect([others.charge?.chargeId, others.attempt, others.isReplayed]).toEqual([request.chargeId, undefined, true]);
  const { attempt } = await writer.beginCollection({ ...request, attemptId: createId("att_") });
  expect(attempt).toBeUndefined();
});

test("with nothing to charge, one attempt has failed, however many collect at once", async () => {
  const { edge, key, createCustomer, createDraft, collect, collectDue } = setup();
  const { invoiceId } = await createDraft(await createCustomer(), [line()], { isAutoAdvancing: true });
  await edge.writer.finalizeInvoice({ ...key(), invoiceId });
  const settle = { accountId, requestId: `${invoiceId}/1`, invoiceId };
  const { writer } = tripe.clientsOf("transactions");
  const told = await Promise.all([1, 2, 3].map(() => writer.settleCollection(settle)));
  expect(told.map(({ invoice }) => invoice?.attemptCount)).toEqual([1, 1, 1]);
  expect((await collect(invoiceId)).invoice?.attemptCount).toBe(1);
  const { invoice, charge } = await collectDue(invoiceId);
  expect([charge, invoice?.attemptCount, invoice?.state]).toEqual([undefined, 2, InvoiceState.OPEN]);
});

test("cancelled while its renewal is at the bank and declined, a subscription is not tried again", async () => {
  const { edge, key, subscribe, renewRequest, collect } = setup();
  const { subscription, invoiceId } = await subscribe(DECLINED_CARD);
  await edge.writer.payInvoiceOutOfBand({ ...key(), invoiceId });
  const renewal = renewRequest(subscription, 1);
  await tripe.clientsOf("scheduler").writer.renewSubscription(renewal);
  const ofRenewal = { invoiceId: renewal.invoice.invoiceId };
  await edge.writer.finalizeInvoice({ ...key(), ...ofRenewal });
  const ids = { chargeId: createId("ch_"), attemptId: createId("att_") };
  await tripe
    .clientsOf("transactions")
    .writer.beginCollection({ accountId, requestId: createId("req_"), ...ofRenewal, ...ids });
  await edge.writer.cancelSubscription({ ...key(), subscriptionId: subscription.subscriptionId });
  await makeDue(tripe, ids.chargeId);
  await tripe.clientsOf("scheduler").transactions.resolveAttempts({ limit: 10 });
  const { invoice } = await collect(ofRenewal.invoiceId);
  expect([invoice?.state, invoice?.nextAttemptTime]).toEqual([InvoiceState.OPEN, undefined]);
});
