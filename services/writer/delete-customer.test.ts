import { expect, test } from "vitest";
import { SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { createBillingSteps } from "./testing-billing.ts";
import { refusal } from "./testing-steps.ts";

const { accountId, setup: steps, rows } = await startTestWriter();

function setup() {
  const { writer, createPayer } = steps();
  const billing = createBillingSteps(writer, accountId);
  const subscribe = async (customerId: string, state: SubscriptionState) =>
    billing.subscribe(customerId, await billing.createPrice(), { state });
  return { writer, createPayer, ...billing, subscribe };
}

const statesOf = async (customerId: string) =>
  (
    await rows<{ state: string }>(
      "select state from subscription where customer_id = $1 order by subscription_id",
      customerId,
    )
  ).map(({ state }) => state);

test("deleteCustomer ends its subscriptions in the same commit, and tells of each once", async () => {
  const { writer, key, createCustomer, subscribe, renewRequest } = setup();
  const [customerId, other] = [await createCustomer(), await createCustomer()];
  const { ACTIVE, INCOMPLETE, TRIALING } = SubscriptionState;
  const made = [];
  for (const state of [ACTIVE, INCOMPLETE, TRIALING, ACTIVE]) made.push(await subscribe(customerId, state));
  const ids = made.map(({ subscription }) => subscription.subscriptionId);
  await writer.cancelSubscription({ ...key(), subscriptionId: ids[3] ?? "" });
  await subscribe(other, ACTIVE);
  const request = { ...key(), customerId };
  const deleted = await writer.deleteCustomer(request);
  expect(await writer.deleteCustomer(request)).toEqual({ ...deleted, isReplayed: true });
  expect(await statesOf(customerId)).toEqual(["canceled", "incomplete_expired", "canceled", "canceled"]);
  expect(await statesOf(other)).toEqual(["active"]);
  const told = await rows<{ type: string; object_id: string }>(
    `select type, object_id from event where object_id = any($1) and type in ('customer.subscription.deleted',
      'customer.deleted') order by event_id`,
    [...ids, customerId],
  );
  expect(told.map(({ object_id }) => object_id).toSorted()).toEqual([...ids, customerId].toSorted());
  const first = "select state from invoice where invoice_id = $1";
  expect(await rows(first, made[1]?.invoiceId)).toEqual([{ state: "void" }]);
  const renewals = made.map(({ subscription }) => writer.renewSubscription(renewRequest(subscription, 1)));
  expect((await Promise.all(renewals)).map(({ isRenewed }) => isRenewed)).toEqual(Array(4).fill(false));
});

test("a customer whose subscription's first payment is under way is not deleted, and nothing of it ends", async () => {
  const { writer, key, createPayer, subscribe } = setup();
  const { customerId } = await createPayer();
  await subscribe(customerId, SubscriptionState.ACTIVE);
  const { invoiceId } = await subscribe(customerId, SubscriptionState.INCOMPLETE);
  const ids = { chargeId: createId("ch_"), attemptId: createId("att_") };
  await writer.beginCollection({ ...key(), invoiceId, ...ids });
  const refused = await refusal(writer.deleteCustomer({ ...key(), customerId }));
  expect(refused?.reason).toBe("INVOICE_PAYMENT_PENDING");
  expect(await statesOf(customerId)).toEqual(["active", "incomplete"]);
  expect(await rows("select delete_time from customer where customer_id = $1", customerId)).toEqual([
    { delete_time: null },
  ]);
});

/** Asks again for what waited too long for a lock, as on a busy machine, and took no effect. */
async function whenFree<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (refusalOf(error)?.reason !== "DATABASE_BUSY" || tries === 10) throw error;
    }
  }
}

test("deleted while subscriptions are made, renewed, finalized and paid, a customer is left with none", async () => {
  const { writer, key, createCustomer, createPrice, subscribe, subscriptionRequest, renewRequest } = setup();
  const price = await createPrice();
  const reasons = new Set<string>();
  const round = async () => {
    const customerId = await createCustomer();
    const { subscription } = await subscribe(customerId, SubscriptionState.ACTIVE);
    const unpaid = await subscribe(customerId, SubscriptionState.INCOMPLETE);
    const renewal = renewRequest(subscription, 1);
    const { invoiceId } = renewal.invoice;
    const outcomes = await Promise.allSettled([
      whenFree(() => writer.renewSubscription(renewal)).then(() =>
        whenFree(() => writer.finalizeInvoice({ ...key(), invoiceId })),
      ),
      whenFree(() => writer.deleteCustomer({ ...key(), customerId })),
      whenFree(() => writer.createSubscription(subscriptionRequest(customerId, price))),
      whenFree(() => writer.payInvoiceOutOfBand({ ...key(), invoiceId: unpaid.invoiceId })),
      whenFree(() => writer.cancelSubscription({ ...key(), subscriptionId: unpaid.subscription.subscriptionId })),
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      const refused = refusalOf(outcome.reason);
      if (refused === undefined) throw outcome.reason;
      reasons.add(refused.reason);
    }
    expect(await rows("select 1 from customer where customer_id = $1 and delete_time is null", customerId)).toEqual([]);
    const live = "select state from subscription where customer_id = $1 and end_time is null";
    expect(await rows(live, customerId)).toEqual([]);
  };
  for (let turn = 0; turn < 5; turn += 1) await Promise.all(Array.from({ length: 4 }, round));
  const allowed = ["CUSTOMER_DELETED", "INVOICE_NOT_FOUND", "INVOICE_NOT_OPEN", "SUBSCRIPTION_ENDED"];
  expect([...reasons].filter((reason) => !allowed.includes(reason))).toEqual([]);
});
