import { timestampDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { CollectionMethod } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { type Subscription, SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { money } from "../_runtime/money.ts";
import { startTestWriter } from "./testing.ts";
import { createBillingSteps } from "./testing-billing.ts";
import { refusal } from "./testing-steps.ts";

const { accountId, setup: steps, rows } = await startTestWriter();

function setup() {
  const { writer, createPayer } = steps();
  const billing = createBillingSteps(writer, accountId);
  const subscribed = async (amounts: readonly bigint[], change: Parameters<typeof billing.subscribe>[2] = {}) => {
    const { customerId, paymentMethodId } = await createPayer();
    const made = await billing.subscribe(customerId, await billing.createPrice(), {
      state: SubscriptionState.ACTIVE,
      ...change,
    });
    for (const amountMinor of amounts) await billing.createItem(customerId, amountMinor);
    return { ...made, customerId, paymentMethodId };
  };
  return { writer, createPayer, ...billing, subscribed };
}

interface FinalRow {
  readonly invoice_id: string;
  readonly state: string;
  readonly total_minor: bigint;
  readonly is_auto_advancing: boolean;
}

const finals = (customerId: string) =>
  rows<FinalRow>(
    `select invoice_id, state, total_minor, is_auto_advancing, collection_method, default_payment_method_id,
        subscription_id, next_attempt_time <= business_now('') as is_due
      from invoice where customer_id = $1 and billing_reason = 'automatic_pending_invoice_item_invoice'`,
    customerId,
  );
const pendingOf = async (customerId: string) => {
  const text = "select amount_minor from invoice_item where customer_id = $1 and invoice_id is null order by 1";
  return (await rows<{ amount_minor: bigint }>(text, customerId)).map((row) => row.amount_minor);
};

test("what is pending is billed by a final invoice when a subscription is canceled, once, and says so", async () => {
  const { writer, key, subscribed } = setup();
  const { subscription, customerId, paymentMethodId } = await subscribed([700n, 300n]);
  await rows(
    "update subscription set default_payment_method_id = $2 where customer_id = $1",
    customerId,
    paymentMethodId,
  );
  const request = { ...key(), subscriptionId: subscription.subscriptionId };
  const ended = await writer.cancelSubscription(request);
  expect(await writer.cancelSubscription(request)).toEqual({ ...ended, isReplayed: true });
  const [invoice, ...others] = await finals(customerId);
  expect([invoice, others]).toMatchObject([
    {
      ...{ state: "draft", total_minor: 1_000n, is_auto_advancing: true, is_due: true, subscription_id: null },
      ...{ collection_method: "charge_automatically", default_payment_method_id: paymentMethodId },
    },
    [],
  ]);
  expect(await pendingOf(customerId)).toEqual([]);
  const told = "select type from event where object_id = $1";
  expect(await rows(told, invoice?.invoice_id)).toEqual([{ type: "invoice.created" }]);
  const lines = "select count(*)::int as count from invoice_line where invoice_id = $1 and invoice_item_id is not null";
  expect(await rows(lines, invoice?.invoice_id)).toEqual([{ count: 2 }]);
});

async function makeDue({ subscriptionId }: Subscription, days: number): Promise<void> {
  await rows(
    `update subscription set renew_time = business_now('') - $2 * interval '1 day', is_ending_with_period = true,
      cancel_time = create_time where subscription_id = $1`,
    subscriptionId,
    days,
  );
}

const renewTimeOf = async ({ subscriptionId }: Subscription) =>
  (
    await rows<{ renew_time: Date }>("select renew_time from subscription where subscription_id = $1", subscriptionId)
  )[0]?.renew_time;

test.each([
  [SubscriptionState.ACTIVE, SubscriptionState.CANCELED, 2],
  [SubscriptionState.TRIALING, SubscriptionState.CANCELED, 1],
  [SubscriptionState.PAST_DUE, SubscriptionState.CANCELED, 30],
  [SubscriptionState.INCOMPLETE, SubscriptionState.INCOMPLETE_EXPIRED, 2],
])("a subscription that was due to end ended then, however late that is seen: %i", async (state, endState, days) => {
  const { writer, key, subscribed } = setup();
  const { subscription, customerId } = await subscribed([700n]);
  const text = {
    trialing: SubscriptionState.TRIALING,
    past_due: SubscriptionState.PAST_DUE,
    incomplete: SubscriptionState.INCOMPLETE,
  };
  const [word = "active"] = Object.entries(text).find(([, value]) => value === state) ?? [];
  await rows("update subscription set state = $2 where customer_id = $1", customerId, word);
  await makeDue(subscription, days);
  const due = await renewTimeOf(subscription);
  const request = { ...key(), subscriptionId: subscription.subscriptionId, isOnlyIfDue: true };
  const { subscription: ended } = await writer.cancelSubscription(request);
  expect(ended).toMatchObject({ state: endState });
  expect(ended?.endTime && timestampDate(ended.endTime)).toEqual(due);
  // One that never was active bills nothing: what is pending waits for another invoice.
  const isBilled = endState === SubscriptionState.CANCELED;
  expect((await finals(customerId)).map((row) => row.total_minor)).toEqual(isBilled ? [700n] : []);
  expect(await pendingOf(customerId)).toEqual(isBilled ? [] : [700n]);
});

test.each<[string, readonly bigint[], readonly bigint[], readonly bigint[]]>([
  ["nothing", [], [], []],
  ["less than the least charge", [49n], [], [49n]],
  ["a credit alone", [-500n], [], [-500n]],
  ["a credit beside a charge", [500n, -200n], [300n], []],
  ["a credit of all of a charge", [500n, -500n], [0n], []],
  ["a credit above a charge", [500n, -900n], [500n], [-900n]],
])("a final invoice is what one charge can be, and the rest stays pending: %s", async (_, amounts, totals, left) => {
  const { writer, key, subscribed } = setup();
  const { subscription, customerId } = await subscribed(amounts);
  await writer.cancelSubscription({ ...key(), subscriptionId: subscription.subscriptionId });
  expect((await finals(customerId)).map((row) => row.total_minor)).toEqual(totals);
  expect(await pendingOf(customerId)).toEqual(left);
});

test("a mailed subscription's final invoice is mailed, and may be as little as it likes", async () => {
  const { writer, key, subscribed } = setup();
  const mailed = { collectionMethod: CollectionMethod.SEND_INVOICE, daysUntilDue: 7 };
  const { subscription, customerId } = await subscribed([10n], mailed);
  await writer.cancelSubscription({ ...key(), subscriptionId: subscription.subscriptionId });
  expect(await finals(customerId)).toMatchObject([{ total_minor: 10n, collection_method: "send_invoice" }]);
});

test("what is pending in another currency waits for an invoice in it", async () => {
  const { writer, key, subscribed } = setup();
  const { subscription, customerId } = await subscribed([700n]);
  const item = { invoiceItemId: createId("ii_"), customerId, currencyCode: "EUR", amountMinor: 900n, quantity: 1n };
  await writer.createInvoiceItem({ ...key(), invoiceItem: item });
  await writer.cancelSubscription({ ...key(), subscriptionId: subscription.subscriptionId });
  expect((await finals(customerId)).map((row) => row.total_minor)).toEqual([700n]);
  expect(await pendingOf(customerId)).toEqual([900n]);
});

test("a deleted customer is billed nothing more", async () => {
  const { writer, key, subscribed } = setup();
  const { customerId } = await subscribed([700n]);
  await writer.deleteCustomer({ ...key(), customerId });
  expect(await finals(customerId)).toEqual([]);
});

test("of a subscription that is given up the final invoice is a draft, not collected by itself", async () => {
  const { writer, key, subscribed } = setup();
  const { customerId, invoiceId } = await subscribed([700n]);
  await rows("update invoice set is_auto_advancing = true where invoice_id = $1", invoiceId);
  // Nothing to charge it to, and no next attempt.
  const requestId = `${invoiceId}/1`;
  await writer.settleCollection({ accountId, requestId, invoiceId, chargeId: "" });
  const [ended] = await rows<{ state: string }>("select state from subscription where customer_id = $1", customerId);
  expect(ended?.state).toBe("canceled");
  expect(await finals(customerId)).toMatchObject([{ state: "draft", total_minor: 700n, is_auto_advancing: false }]);
  const unpaid = await subscribed([300n]);
  await rows("update subscription set state = 'unpaid' where customer_id = $1", unpaid.customerId);
  await writer.cancelSubscription({ ...key(), subscriptionId: unpaid.subscription.subscriptionId });
  expect(await finals(unpaid.customerId)).toMatchObject([{ total_minor: 300n, is_auto_advancing: false }]);
});

test("an item that two subscriptions' ends, a draft and a deletion want at once is billed once or gone", async () => {
  const { writer, key, subscribed, subscribe, createPrice, createItem, draftRequest } = setup();
  const round = async () => {
    const { subscription, customerId } = await subscribed([]);
    const other = await subscribe(customerId, await createPrice(), { state: SubscriptionState.ACTIVE });
    const item = await createItem(customerId, 700n);
    const { invoiceItemId } = item;
    const taking = [{ description: "Work", quantity: 1n, amountMinor: 700n, invoiceItemId }];
    const ends = await Promise.allSettled([
      writer.cancelSubscription({ ...key(), subscriptionId: subscription.subscriptionId }),
      writer.cancelSubscription({ ...key(), subscriptionId: other.subscription.subscriptionId }),
      writer.createInvoice(draftRequest(customerId, taking)),
      writer.deleteInvoiceItem({ ...key(), invoiceItemId }),
    ]);
    const lines = await rows("select 1 from invoice_line where invoice_item_id = $1", invoiceItemId);
    const items = await rows("select 1 from invoice_item where invoice_item_id = $1", invoiceItemId);
    expect(lines).toHaveLength(items.length);
    expect(ends.slice(0, 2).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
  };
  for (let turn = 0; turn < 3; turn += 1) await Promise.all(Array.from({ length: 3 }, round));
});

test("of two subscriptions at once in two currencies one is refused, and the other's is the customer's currency", async () => {
  const { writer, createCustomer, createPrice, subscriptionRequest } = setup();
  const customerId = await createCustomer();
  const inEuros = { unitAmount: money(1_000n, "EUR") };
  const euros = subscriptionRequest(customerId, await createPrice(inEuros), { currencyCode: "EUR" });
  const requests = [
    subscriptionRequest(customerId, await createPrice()),
    { ...euros, invoice: { ...euros.invoice, currencyCode: "EUR" } },
  ];
  const reasons = await Promise.all(requests.map((request) => refusal(writer.createSubscription(request))));
  expect(reasons.map((one) => one?.reason ?? "").toSorted()).toEqual(["", "CURRENCIES_MIXED"]);
  const made = reasons[0] === undefined ? "USD" : "EUR";
  expect(await rows("select currency_code from customer where customer_id = $1", customerId)).toEqual([
    { currency_code: made },
  ]);
});
