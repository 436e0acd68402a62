import { expect, test } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestTripe } from "../testing.ts";
import { createBillingSteps } from "../writer/testing-billing.ts";
import { createSteps, GOOD_CARD, selectRows } from "./testing.ts";

const tripe = await startTestTripe();
const { accountId } = tripe;
const { ACTIVE, PAST_DUE } = SubscriptionState;

/** An active subscription whose card is declined from now on, and a card that is not. */
async function setup() {
  const { edge, key, createPayer } = createSteps(tripe);
  const billing = createBillingSteps(edge.writer, accountId);
  const { customerId } = await createPayer("4000000000009995");
  const goodId = await addCard(customerId);
  const { subscription, invoiceId: firstId } = await billing.subscribe(customerId, await billing.createPrice());
  const { subscriptionId } = subscription;
  await edge.writer.payInvoiceOutOfBand({ ...key(), invoiceId: firstId });
  const renew = async (periodIndex: number) => {
    const renewal = billing.renewRequest(subscription, periodIndex);
    await tripe.clientsOf("scheduler").writer.renewSubscription(renewal);
    const { invoiceId } = renewal.invoice;
    await edge.writer.finalizeInvoice({ ...key(), invoiceId });
    return invoiceId;
  };
  /** The schedule's next attempt, whose time has come. */
  const declineDue = async (invoiceId: string) => {
    const text = "update invoice set next_attempt_time = business_now(account_id, customer_id) where invoice_id = $1";
    await selectRows(tripe, text, invoiceId);
    const request = { accountId, requestId: createId("req_"), invoiceId, isScheduled: true };
    const { charge } = await tripe.clientsOf("scheduler").transactions.collectInvoice(request);
    expect(charge?.state).toBe(ChargeState.FAILED);
  };
  const pay = async (invoiceId: string) => {
    const request = { accountId, requestId: createId("req_"), invoiceId, paymentMethodId: goodId };
    const { charge } = await edge.transactions.collectInvoice(request);
    expect(charge?.state).toBe(ChargeState.SUCCEEDED);
  };
  const payElsewhere = (invoiceId: string) => edge.writer.payInvoiceOutOfBand({ ...key(), invoiceId });
  const state = async () => (await edge.reader.getSubscription({ accountId, subscriptionId })).subscription?.state;
  return { renew, declineDue, pay, payElsewhere, state };
}

async function addCard(customerId: string): Promise<string> {
  const { edge, key } = createSteps(tripe);
  const [paymentMethodId, tokenId] = [createId("card_"), createId("tok_")];
  const card = { number: GOOD_CARD, expMonth: 12, expYear: 2040, cvc: "" };
  const sealed = await edge.bank.sealCard({ accountId, paymentMethodId, card });
  const token = { tokenId, paymentMethod: { paymentMethodId, ...(sealed.card && { card: sealed.card }) } };
  await edge.writer.createToken({ ...key(), token, sealedCard: sealed.sealedCard });
  await edge.writer.attachPaymentMethod({ ...key(), customerId, tokenId });
  return paymentMethodId;
}

test("paying an older invoice leaves a subscription past due whose latest has failed, until that one is paid", async () => {
  const { renew, declineDue, pay, payElsewhere, state } = await setup();
  const older = await renew(1);
  await declineDue(older);
  const middle = await renew(2);
  await declineDue(middle);
  const latest = await renew(3);
  await declineDue(latest);
  await pay(older);
  expect(await state()).toBe(PAST_DUE);
  await payElsewhere(middle);
  expect(await state()).toBe(PAST_DUE);
  await pay(latest);
  expect(await state()).toBe(ACTIVE);
});

test("a later invoice that was not tried yet keeps no subscription past due", async () => {
  const { renew, declineDue, pay, state } = await setup();
  const older = await renew(1);
  await declineDue(older);
  const latest = await renew(2);
  await pay(older);
  expect(await state()).toBe(ACTIVE);
  await declineDue(latest);
  expect(await state()).toBe(PAST_DUE);
});

test("an older invoice's declines, the last one too, change nothing for a subscription whose latest is paid", async () => {
  const { renew, declineDue, pay, state } = await setup();
  const older = await renew(1);
  await declineDue(older);
  const latest = await renew(2);
  await pay(latest);
  const states = [await state()];
  for (let attempt = 2; attempt <= 5; attempt += 1) {
    await declineDue(older);
    states.push(await state());
  }
  expect(states).toEqual([ACTIVE, ACTIVE, ACTIVE, ACTIVE, ACTIVE]);
});
