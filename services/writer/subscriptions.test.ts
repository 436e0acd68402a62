import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { CollectionMethod, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { createBillingSteps, periodStart } from "./testing-billing.ts";
import { refusal } from "./testing-steps.ts";

const { accountId, liveAccountId, setup: steps, rows } = await startTestWriter();

function setup() {
  const { writer, createPayer, settleCharge } = steps();
  const billing = createBillingSteps(writer, accountId);
  const cancel = (subscriptionId: string) => writer.cancelSubscription({ ...billing.key(), subscriptionId });
  const subscribeNew = async (change: Parameters<typeof billing.subscribe>[2] = {}) =>
    billing.subscribe(await billing.createCustomer(), await billing.createPrice(), change);
  const pay = (invoiceId: string) => writer.payInvoiceOutOfBand({ ...billing.key(), invoiceId });
  return { writer, createPayer, settleCharge, ...billing, cancel, subscribeNew, pay };
}

const stateOf = async (invoiceId: string) =>
  (await rows<{ state: string }>("select state from invoice where invoice_id = $1", invoiceId))[0]?.state;
const told = (objectId: string) => rows("select type from event where object_id = $1 order by event_id", objectId);

test("a subscription and its first invoice, finalized, are one commit, done once", async () => {
  const { writer, createCustomer, createPrice, subscriptionRequest } = setup();
  const request = subscriptionRequest(await createCustomer(), await createPrice());
  const made = await writer.createSubscription(request);
  const { subscriptionId } = request.subscription;
  const { invoiceId } = request.invoice;
  expect(made.subscription).toMatchObject({ state: SubscriptionState.INCOMPLETE, latestInvoiceId: invoiceId });
  expect(await writer.createSubscription(request)).toEqual({ ...made, isReplayed: true });
  const billed = "select state, number, period_index, total_minor from invoice where subscription_id = $1";
  expect(await rows(billed, subscriptionId)).toEqual([
    { state: "open", number: "ABC-0001", period_index: 0, total_minor: 1000n },
  ]);
  expect(await told(subscriptionId)).toEqual([{ type: "customer.subscription.created" }]);
  const refused = writer.createSubscription(subscriptionRequest("cus_none", await setup().createPrice()));
  expect((await refusal(refused))?.reason).toBe("CUSTOMER_NOT_FOUND");
});

test("paying its first invoice makes an incomplete subscription active", async () => {
  const { writer, key, subscribeNew, pay } = setup();
  const { subscription, invoiceId } = await subscribeNew();
  await pay(invoiceId);
  const change = { ...key(), subscription: { subscriptionId: subscription.subscriptionId, currencyCode: "USD" } };
  const { subscription: now } = await writer.updateSubscription(change);
  expect(now?.state).toBe(SubscriptionState.ACTIVE);
});

test("cancelled while incomplete, it has expired, and its invoice is void and says so", async () => {
  const { subscribeNew, cancel } = setup();
  const { subscription, invoiceId } = await subscribeNew();
  const { subscription: ended } = await cancel(subscription.subscriptionId);
  expect(ended).toMatchObject({ state: SubscriptionState.INCOMPLETE_EXPIRED, endTime: {}, cancelTime: {} });
  expect(await stateOf(invoiceId)).toBe("void");
  expect(await told(invoiceId)).toContainEqual({ type: "invoice.voided" });
  expect((await refusal(cancel(subscription.subscriptionId)))?.reason).toBe("SUBSCRIPTION_ENDED");
});

test("cancelled while active, what is owed stays owed and is no longer collected", async () => {
  const { writer, subscribeNew, cancel, pay, renewRequest } = setup();
  const { subscription, invoiceId } = await subscribeNew();
  await pay(invoiceId);
  const renewal = renewRequest(subscription, 1);
  await writer.renewSubscription(renewal);
  expect((await cancel(subscription.subscriptionId)).subscription?.state).toBe(SubscriptionState.CANCELED);
  const left = "select state, is_auto_advancing, next_attempt_time from invoice where invoice_id = $1";
  expect(await rows(left, renewal.invoice.invoiceId)).toEqual([
    { state: "draft", is_auto_advancing: false, next_attempt_time: null },
  ]);
  expect((await writer.renewSubscription(renewRequest(subscription, 2))).isRenewed).toBe(false);
});

test("an incomplete subscription does not end while its first payment is under way", async () => {
  const { writer, createPayer, createPrice, subscribe, cancel } = setup();
  const { customerId } = await createPayer();
  const { subscription, invoiceId } = await subscribe(customerId, await createPrice());
  const ids = { chargeId: createId("ch_"), attemptId: createId("att_") };
  // Begun and cancelled at once: whichever is first, no void invoice is being charged.
  const begun = writer.beginCollection({ accountId, requestId: createId("req_"), invoiceId, ...ids });
  const [{ attempt }, reason] = await Promise.all([begun, refusal(cancel(subscription.subscriptionId))]);
  expect([attempt !== undefined, reason?.reason]).toEqual(
    (await stateOf(invoiceId)) === "void" ? [false, undefined] : [true, "INVOICE_PAYMENT_PENDING"],
  );
});

test("a provisional subscription is hidden, without events and number, until its invoice is paid", async () => {
  const { writer, key, createPayer, createPrice, subscriptionRequest, pay, settleCharge } = setup();
  const { customerId } = await createPayer();
  const request = { ...subscriptionRequest(customerId, await createPrice()), isProvisional: true };
  const { subscriptionId } = request.subscription;
  const { invoiceId } = request.invoice;
  await writer.createSubscription(request);
  const numbers = () => rows("select state, number, is_provisional from invoice where invoice_id = $1", invoiceId);
  expect([await told(subscriptionId), await told(invoiceId)]).toEqual([[], []]);
  expect(await numbers()).toEqual([{ state: "open", number: null, is_provisional: true }]);
  expect((await refusal(pay(invoiceId)))?.reason).toBe("INVOICE_NOT_FOUND");
  const charge = { chargeId: createId("ch_"), attemptId: createId("att_") };
  const { attempt } = await writer.beginCollection({ ...key(), invoiceId, ...charge });
  if (attempt === undefined) throw new Error("there is a card to charge");
  await settleCharge({ attempt }, OutcomeKind.ACCEPTED);
  await writer.settleCollection({ ...key(), invoiceId, chargeId: charge.chargeId });
  expect(await numbers()).toEqual([{ state: "paid", number: "ABC-0001", is_provisional: false }]);
  expect(await told(subscriptionId)).toEqual([
    { type: "customer.subscription.created" },
    { type: "customer.subscription.updated" },
  ]);
  expect(await writer.createSubscription(request)).toMatchObject({
    isReplayed: true,
    subscription: { subscriptionId },
  });
});

test("a provisional subscription whose customer is deleted ends like any other, and the number of its invoice is the next", async () => {
  const { writer, key, createPayer, createPrice, subscriptionRequest } = setup();
  const { customerId } = await createPayer();
  const request = { ...subscriptionRequest(customerId, await createPrice()), isProvisional: true };
  await writer.createSubscription(request);
  await writer.deleteCustomer({ ...key(), customerId });
  const { subscriptionId } = request.subscription;
  expect(
    await rows("select state, provisional_request_id from subscription where subscription_id = $1", subscriptionId),
  ).toEqual([{ state: "incomplete_expired", provisional_request_id: null }]);
  expect(await rows("select state, number from invoice where subscription_id = $1", subscriptionId)).toEqual([
    { state: "void", number: "ABC-0001" },
  ]);
  const types = await rows("select type from event where object_id = $1 order by event_id", subscriptionId);
  expect(types).toEqual([{ type: "customer.subscription.created" }, { type: "customer.subscription.deleted" }]);
});

test("where only one that is due is to end, one that goes on is refused", async () => {
  const { writer, key, subscribeNew, pay } = setup();
  const cancelDue = async (subscriptionId: string) =>
    refusal(writer.cancelSubscription({ ...key(), subscriptionId, isOnlyIfDue: true }));
  const reasons = [];
  // Its 23 hours are not over; paid, it is active; and only one that ends with its period does.
  const unpaid = await subscribeNew();
  reasons.push((await cancelDue(unpaid.subscription.subscriptionId))?.reason);
  await pay(unpaid.invoiceId);
  reasons.push((await cancelDue(unpaid.subscription.subscriptionId))?.reason);
  const active = { state: SubscriptionState.ACTIVE, isEndingWithPeriod: true };
  const later = { periodEndTime: timestampFromMs(Date.UTC(2100, 0, 1)) };
  reasons.push((await cancelDue((await subscribeNew({ ...active, ...later })).subscription.subscriptionId))?.reason);
  expect(reasons).toEqual(Array(3).fill("SUBSCRIPTION_NOT_DUE"));
  expect(await cancelDue((await subscribeNew(active)).subscription.subscriptionId)).toBeUndefined();
});

test("updateSubscription changes what its mask names, until the subscription has ended", async () => {
  const { writer, key, createPayer, subscribeNew, cancel } = setup();
  const { subscriptionId } = (await subscribeNew()).subscription;
  const { paymentMethodId } = await createPayer();
  const update = (change: object, paths: string[]) =>
    writer.updateSubscription({
      ...key(),
      subscription: { subscriptionId, currencyCode: "USD", ...change },
      updateMask: { paths },
    });
  const ending = await update({ isEndingWithPeriod: true }, ["is_ending_with_period"]);
  expect(ending.subscription).toMatchObject({ isEndingWithPeriod: true, cancelTime: {} });
  const kept = await update({ isEndingWithPeriod: false }, ["is_ending_with_period"]);
  expect(kept.subscription?.cancelTime).toBeUndefined();
  const foreign = refusal(update({ defaultPaymentMethodId: paymentMethodId }, ["default_payment_method_id"]));
  expect((await foreign)?.reason).toBe("PAYMENT_METHOD_NOT_ATTACHED");
  await cancel(subscriptionId);
  for (const path of ["description", "is_ending_with_period", "default_payment_method_id"]) {
    expect((await refusal(update({}, [path])))?.reason).toBe("SUBSCRIPTION_NOT_EDITABLE");
  }
  const metadataPatch = { set: { a: "b" } };
  const ended = { ...key(), subscription: { subscriptionId, currencyCode: "USD" }, metadataPatch };
  expect((await writer.updateSubscription(ended)).subscription).toMatchObject({ metadata: { a: "b" }, cancelTime: {} });
});

test("another account's subscription is not there", async () => {
  const { writer, key, cancel } = setup();
  const theirs = createBillingSteps(writer, liveAccountId);
  const { subscription } = await theirs.subscribe(await theirs.createCustomer(), await theirs.createPrice());
  const { subscriptionId } = subscription;
  const update = writer.updateSubscription({ ...key(), subscription: { subscriptionId, currencyCode: "USD" } });
  const reasons = await Promise.all([refusal(update), refusal(cancel(subscriptionId))]);
  expect(reasons.map((one) => one?.reason)).toEqual(["SUBSCRIPTION_NOT_FOUND", "SUBSCRIPTION_NOT_FOUND"]);
  const renewal = { ...theirs.renewRequest(subscription, 1), accountId };
  expect((await writer.renewSubscription(renewal)).isRenewed).toBe(false);
});

test("a renewal goes exactly one period further, once, however many try", async () => {
  const { writer, subscribeNew, pay, renewRequest } = setup();
  const { subscription, invoiceId } = await subscribeNew();
  expect((await writer.renewSubscription(renewRequest(subscription, 1))).isRenewed).toBe(false);
  await pay(invoiceId);
  const skipped = renewRequest(subscription, 2);
  const shifted = { ...renewRequest(subscription, 1), periodStartTime: periodStart(2), periodEndTime: periodStart(3) };
  expect((await writer.renewSubscription(skipped)).isRenewed).toBe(false);
  expect((await writer.renewSubscription(shifted)).isRenewed).toBe(false);
  const tries = Array.from({ length: 5 }, () => writer.renewSubscription(renewRequest(subscription, 1)));
  expect((await Promise.all(tries)).filter(({ isRenewed }) => isRenewed)).toHaveLength(1);
  expect((await writer.renewSubscription(renewRequest(subscription, 2))).isRenewed).toBe(true);
  const billed = "select period_index, state from invoice where subscription_id = $1 order by period_index";
  expect(await rows(billed, subscription.subscriptionId)).toEqual([
    { period_index: 0, state: "paid" },
    { period_index: 1, state: "draft" },
    { period_index: 2, state: "draft" },
  ]);
});

test("a subscription that ends with its period is not renewed, and a trial becomes active", async () => {
  const { writer, subscribeNew, renewRequest } = setup();
  const trial = { state: SubscriptionState.TRIALING, periodIndex: -1, periodStartTime: periodStart(-1) };
  const times = { periodEndTime: periodStart(0), trialStartTime: periodStart(-1), trialEndTime: periodStart(0) };
  const { subscription } = await subscribeNew({ ...trial, ...times });
  expect((await writer.renewSubscription(renewRequest(subscription, 0))).isRenewed).toBe(true);
  const state = "select state from subscription where subscription_id = $1";
  expect(await rows(state, subscription.subscriptionId)).toEqual([{ state: "active" }]);
  const ending = await subscribeNew({ state: SubscriptionState.ACTIVE, isEndingWithPeriod: true });
  expect((await writer.renewSubscription(renewRequest(ending.subscription, 1))).isRenewed).toBe(false);
});

test("a subscription whose invoices are sent is mailed its first one", async () => {
  const { subscribeNew, writer, key } = setup();
  const change = { state: SubscriptionState.ACTIVE, collectionMethod: CollectionMethod.SEND_INVOICE, daysUntilDue: 30 };
  const { invoiceId } = await subscribeNew(change);
  expect(await rows("select 1 from mail where invoice_id = $1", invoiceId)).toHaveLength(1);
  const { invoice } = await writer.voidInvoice({ ...key(), invoiceId });
  expect(invoice?.state).toBe(InvoiceState.VOID);
});
