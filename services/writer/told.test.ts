import { expect, test } from "vitest";
import { AttemptKind, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { DeliveryOutcome } from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import { eventTypes } from "../_runtime/event-types.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { createBillingSteps, line } from "./testing-billing.ts";
import { card, createSteps } from "./testing-steps.ts";
import { liveThroughSilentRpcs, rememberTold } from "./testing-told.ts";

const { openWriter, rows, accountId } = await startTestWriter();
const { writer, told } = rememberTold(openWriter(), rows);
const steps = createSteps(writer, accountId);
const billing = createBillingSteps(writer, accountId);
const { key } = steps;

/** What each rpc tells, in every way it can go; "" is nothing. A new rpc has to be written down here, and run below. */
const table: Record<keyof typeof WriterService.method, string[]> = {
  findAnswer: [""],
  createCustomer: ["customer.created", "customer.created, payment_method.attached"],
  updateCustomer: ["", "customer.updated", "customer.updated, payment_method.attached"],
  deleteCustomer: [
    "customer.deleted",
    "customer.deleted, customer.subscription.deleted, invoice.updated, invoice.voided, payment_method.detached",
  ],
  createToken: [""],
  createPaymentMethod: [""],
  attachPaymentMethod: ["", "customer.updated, payment_method.attached", "payment_method.attached"],
  detachPaymentMethod: ["customer.updated, payment_method.detached", "payment_method.detached"],
  beginCharge: [""],
  settleCharge: ["charge.failed", "charge.succeeded"],
  updateCharge: ["", "charge.updated"],
  beginCapture: [""],
  settleCapture: ["", "charge.captured"],
  beginExpiries: [""],
  settleRelease: ["charge.expired", "charge.refunded, refund.created", "refund.created, refund.failed"],
  beginReturn: [""],
  settleReturn: [
    "charge.refund.updated, charge.refunded, refund.updated",
    "charge.refund.updated, refund.failed, refund.updated",
    "charge.refunded, refund.created",
    "refund.created, refund.failed",
  ],
  leaseAttempts: [""],
  postponeAttempt: ["", "charge.pending", "refund.created"],
  giveUpAttempt: ["charge.failed"],
  settleLateAttempt: [""],
  resolveAlerts: [""],
  resolveAlert: [""],
  checkDatabase: [""],
  settleAutomaticReturn: [""],
  createProduct: ["price.created, product.created", "product.created"],
  updateProduct: ["", "product.updated"],
  createPrice: ["price.created, price.updated", "price.created, product.created"],
  updatePrice: ["", "price.updated", "price.updated, price.updated"],
  createInvoiceItem: ["invoice.updated, invoiceitem.created", "invoiceitem.created"],
  // Stripe has no event of an item's own change.
  updateInvoiceItem: ["", "invoice.updated"],
  deleteInvoiceItem: ["invoice.updated, invoiceitem.deleted", "invoiceitem.deleted"],
  createInvoice: ["customer.updated, invoice.created", "invoice.created"],
  updateInvoice: ["", "invoice.updated"],
  deleteInvoice: ["invoice.deleted"],
  finalizeInvoice: [
    "invoice.finalized, invoice.paid, invoice.payment_succeeded, invoice.updated",
    "invoice.finalized, invoice.updated",
  ],
  voidInvoice: ["invoice.updated, invoice.voided"],
  markInvoiceUncollectible: ["invoice.marked_uncollectible, invoice.updated"],
  payInvoiceOutOfBand: [
    "customer.subscription.updated, invoice.paid, invoice.updated",
    "invoice.paid, invoice.updated",
  ],
  beginCollection: [""],
  settleCollection: [
    "",
    "customer.subscription.deleted, invoice.payment_failed, invoice.updated",
    "customer.subscription.updated, invoice.paid, invoice.payment_succeeded, invoice.updated",
    "customer.subscription.updated, invoice.payment_failed, invoice.updated",
  ],
  leaseCollections: [""],
  beginSending: [""],
  leaseMails: [""],
  recordMails: [""],
  redriveMails: [""],
  markSent: ["", "invoice.sent"],
  createSubscription: ["customer.subscription.created, customer.updated, invoice.created, invoice.finalized"],
  updateSubscription: ["", "customer.subscription.updated"],
  cancelSubscription: [
    // Both its invoices are no longer collected by themselves.
    "customer.subscription.deleted, invoice.updated, invoice.updated",
    "customer.subscription.deleted, invoice.updated, invoice.voided",
  ],
  leaseRenewals: [""],
  renewSubscription: ["", "customer.subscription.updated, invoice.created"],
  dispatchEvents: [""],
  createWebhookEndpoint: [""],
  updateWebhookEndpoint: [""],
  deleteWebhookEndpoint: [""],
  rotateWebhookSecret: [""],
  leaseDeliveries: [""],
  recordDeliveries: [""],
  retryDelivery: [""],
  redriveDeliveries: [""],
  reportBrowserKey: [""],
  beginVerification: [""],
  settleVerification: [""],
  eraseSealedCvcs: [""],
  createAccount: [""],
  updateAccount: [""],
  createApiKey: [""],
  rollApiKey: [""],
  revokeApiKey: [""],
};

const mask = (...paths: string[]) => ({ updateMask: { paths } });

/** Calls an rpc that tells of its change, then again as if nothing were to change. */
async function twice(call: () => Promise<unknown>): Promise<void> {
  await call();
  await call();
}

async function makePaymentMethod(): Promise<string> {
  const paymentMethodId = createId("pm_");
  const paymentMethod = { paymentMethodId, card: card() };
  await writer.createPaymentMethod({ ...key(), paymentMethod, sealedCard: new Uint8Array([7]) });
  return paymentMethodId;
}

async function liveThroughCustomers(): Promise<void> {
  const customerId = await billing.createCustomer();
  await twice(() =>
    writer.updateCustomer({ ...key(), customer: { customerId, email: "b@example.com" }, ...mask("email") }),
  );
  const { tokenId } = await steps.createToken();
  await writer.updateCustomer({ ...key(), customer: { customerId }, tokenId });
  for (const isDefault of [true, false]) {
    const paymentMethodId = await makePaymentMethod();
    await twice(() => writer.attachPaymentMethod({ ...key(), customerId, paymentMethodId, isDefault }));
    if (!isDefault) await writer.detachPaymentMethod({ ...key(), paymentMethodId });
  }
  const payer = await steps.createPayer();
  await writer.detachPaymentMethod({ ...key(), paymentMethodId: payer.paymentMethodId });
  await writer.deleteCustomer({ ...key(), customerId: payer.customerId });
  const owing = await steps.createPayer();
  await billing.subscribe(owing.customerId, await billing.createPrice());
  await writer.deleteCustomer({ ...key(), customerId: owing.customerId });
}

async function liveThroughCharges(): Promise<void> {
  const { charge } = await steps.succeedCharge();
  const { chargeId } = charge;
  await steps.settleCharge(await steps.beginCharge(), OutcomeKind.DECLINED);
  await twice(() => writer.updateCharge({ ...key(), charge: { chargeId, description: "D" }, ...mask("description") }));
  const late = await steps.beginCharge();
  const { attemptId, fence } = late.attempt;
  const put = { accountId, requestId: "p", attemptId, fence, delayMs: 60_000n, bank: "" };
  await twice(() => writer.postponeAttempt(put));
  await writer.leaseAttempts({ limit: 1 });
  await writer.giveUpAttempt(put);
  const heard = { accountId, requestId: "l", outcome: { kind: OutcomeKind.ACCEPTED } };
  const returnAttemptId = createId("att_");
  await writer.settleLateAttempt({ ...heard, attemptId, returnAttemptId, returnKind: AttemptKind.REVERSE });
  await writer.resolveAlerts({ ...heard, objectId: attemptId, reason: "ATTEMPT_GIVEN_UP" });
  await writer.settleAutomaticReturn({ ...heard, attemptId: returnAttemptId });
  for (const kind of [OutcomeKind.DECLINED, OutcomeKind.ACCEPTED]) {
    await steps.settleReturn(await steps.beginReturn(chargeId, 100n), kind);
    const begun = await steps.beginReturn(chargeId, 100n);
    await writer.postponeAttempt({ ...put, attemptId: begun.attempt.attemptId, fence: begun.attempt.fence });
    await steps.settleReturn(begun, kind);
  }
}

async function liveThroughHolds(): Promise<void> {
  const { charge } = await steps.holdCharge();
  await steps.settleCapture(await steps.beginCapture(charge.chargeId), OutcomeKind.DECLINED);
  await steps.settleCapture(await steps.beginCapture(charge.chargeId), OutcomeKind.ACCEPTED);
  const released = (await steps.holdCharge()).charge;
  await steps.settleRelease(await steps.beginReturn(released.chargeId, 0n), OutcomeKind.DECLINED);
  await steps.settleRelease(await steps.beginReturn(released.chargeId, 0n), OutcomeKind.ACCEPTED);
  const { chargeId } = (await steps.holdCharge()).charge;
  await rows("update charge set capture_before_time = create_time - interval '1 s' where charge_id = $1", chargeId);
  const { attempts } = await writer.beginExpiries({ limit: 1 });
  for (const attempt of attempts) await steps.settleRelease({ attempt }, OutcomeKind.ACCEPTED);
}

async function liveThroughPlans(): Promise<void> {
  const productId = createId("prod_");
  const unitAmount = { amountMinor: 100n, currencyCode: "USD" };
  const priceOf = (lookupKey: string) => ({
    priceId: createId("price_"),
    productId,
    unitAmount,
    lookupKey,
    isActive: true,
  });
  await writer.createProduct({ ...key(), product: { productId, name: "P" }, defaultPrice: priceOf("a") });
  await writer.createProduct({ ...key(), product: { productId: createId("prod_"), name: "Q" } });
  await twice(() => writer.updateProduct({ ...key(), product: { productId, name: "R" }, ...mask("name") }));
  const price = priceOf("a");
  await writer.createPrice({ ...key(), price, isLookupKeyTransferred: true });
  await twice(() => writer.updatePrice({ ...key(), price: { ...price, nickname: "N" }, ...mask("nickname") }));
  const other = await billing.createPrice({ lookupKey: "b" });
  const taken = { ...other, lookupKey: "a" };
  await writer.updatePrice({ ...key(), price: taken, ...mask("lookup_key"), isLookupKeyTransferred: true });
}

async function liveThroughInvoices(): Promise<void> {
  const customerId = await billing.createCustomer();
  const draft = await billing.createDraft(customerId);
  for (const invoiceId of [draft.invoiceId, ""]) {
    const made = await billing.createItem(customerId, 500n, invoiceId);
    const { invoiceItemId } = made;
    const invoiceItem = { ...made, description: "Other" };
    await writer.updateInvoiceItem({ ...key(), invoiceItem, ...mask("description") });
    await writer.deleteInvoiceItem({ ...key(), invoiceItemId });
  }
  const change = { ...draft, description: "D" };
  await twice(() => writer.updateInvoice({ ...key(), invoice: change, ...mask("description") }));
  await writer.deleteInvoice({ ...key(), invoiceId: draft.invoiceId });
  await billing.createOpen(customerId, [line(1n), line(-1n)]);
  const open = async () => ({ ...key(), invoiceId: (await billing.createOpen(customerId)).invoiceId });
  await writer.voidInvoice(await open());
  await writer.markInvoiceUncollectible(await open());
  await writer.payInvoiceOutOfBand(await open());
  const { sendingId } = await writer.beginSending({ ...(await open()), sendingId: createId("snd_") });
  await writer.findAnswer(key());
  const mark = { accountId, requestId: sendingId, sendingId, messageId: "m", pdfSha256: new Uint8Array(32) };
  await twice(() => writer.markSent(mark));
}

/** Collects an invoice by a charge that ends so; then once more, which is nothing. */
async function collect(invoiceId: string, outcome: OutcomeKind, retryDelay?: { seconds: bigint }): Promise<void> {
  const ids = { chargeId: createId("ch_"), attemptId: createId("att_") };
  const { attempt } = await writer.beginCollection({ ...key(), invoiceId, ...ids });
  if (attempt === undefined) throw new Error("there is a card to charge");
  await steps.settleCharge({ attempt }, outcome);
  const settle = { accountId, requestId: "s", invoiceId, chargeId: ids.chargeId, ...(retryDelay && { retryDelay }) };
  await twice(() => writer.settleCollection(settle));
}

async function liveThroughSubscriptions(): Promise<void> {
  const price = await billing.createPrice();
  const subscribe = async (state: SubscriptionState = SubscriptionState.INCOMPLETE) =>
    billing.subscribe((await steps.createPayer()).customerId, price, { state });
  await collect((await subscribe()).invoiceId, OutcomeKind.ACCEPTED);
  await collect((await subscribe(SubscriptionState.ACTIVE)).invoiceId, OutcomeKind.DECLINED, { seconds: 60n });
  await collect((await subscribe(SubscriptionState.ACTIVE)).invoiceId, OutcomeKind.DECLINED);
  await writer.payInvoiceOutOfBand({ ...key(), invoiceId: (await subscribe()).invoiceId });
  const { subscription } = await subscribe(SubscriptionState.ACTIVE);
  const { subscriptionId } = subscription;
  const change = { ...subscription, description: "D" };
  await twice(() => writer.updateSubscription({ ...key(), subscription: change, ...mask("description") }));
  await twice(() => writer.renewSubscription(billing.renewRequest(subscription, 1)));
  await writer.cancelSubscription({ ...key(), subscriptionId });
  const unpaid = await subscribe();
  await writer.cancelSubscription({ ...key(), subscriptionId: unpaid.subscription.subscriptionId });
  await writer.leaseCollections({ limit: 1 });
  await writer.leaseRenewals({ limit: 1 });
}

async function liveThroughDeliveries(): Promise<void> {
  const webhookEndpointId = createId("we_");
  const endpoint = { webhookEndpointId, url: "https://example.com/", eventTypes: ["*"] };
  await writer.createWebhookEndpoint({ ...key(), webhookEndpoint: endpoint });
  await writer.updateWebhookEndpoint({
    ...key(),
    webhookEndpoint: { ...endpoint, description: "D" },
    ...mask("description"),
  });
  await writer.rotateWebhookSecret({ ...key(), webhookEndpointId });
  const [{ event_id: eventId } = { event_id: "" }] = await rows<{ event_id: string }>(
    "select event_id from event limit 1",
  );
  await writer.dispatchEvents({ limit: 500 });
  await writer.leaseDeliveries({ limit: 1, endpointMax: 1, accountMax: 1 });
  const delivery = { accountId, eventId, webhookEndpointId, turn: 2 };
  const disableAfter = { seconds: 60n };
  await writer.recordDeliveries({ tries: [{ delivery, outcome: DeliveryOutcome.DEAD }], disableAfter });
  await writer.redriveDeliveries({ limit: 1 });
  await writer.retryDelivery({ ...key(), eventId, webhookEndpointId });
  await writer.deleteWebhookEndpoint({ ...key(), webhookEndpointId });
}

test("each rpc tells what the table says, and no rpc is left out", async () => {
  for (const live of [liveThroughCustomers, liveThroughCharges, liveThroughHolds, liveThroughPlans]) await live();
  for (const live of [liveThroughInvoices, liveThroughSubscriptions, liveThroughDeliveries]) await live();
  await liveThroughSilentRpcs(writer, { accountId, rows });
  const found = Object.fromEntries([...told].map(([rpc, sets]) => [rpc, [...sets].sort()]));
  expect(found).toEqual(table);
  expect(Object.keys(table).sort()).toEqual(Object.keys(WriterService.method).sort());
});

test("all that Tripe says it tells of is told by some rpc, and nothing else", () => {
  const all = new Set(Object.values(table).flatMap((sets) => sets.flatMap((types) => types.split(", "))));
  expect([...all].filter((type) => type !== "").sort()).toEqual([...eventTypes].sort());
});
