import { expect, test } from "vitest";
import { SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { MailKind } from "../../gen/tripe/writer/v1/mails_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { createBillingSteps, line } from "./testing-billing.ts";
import { refusal } from "./testing-steps.ts";

const { accountId, setup: steps, rows, asOwner } = await startTestWriter();

async function setup() {
  await asOwner("update invoice set next_attempt_time = null");
  await asOwner("update subscription set renew_time = null");
  await asOwner("update mail set due_time = null, state = 'given_up' where state = 'due'");
  const { writer } = steps();
  const billing = createBillingSteps(writer, accountId);
  const lease = async (limit: number) =>
    (await writer.leaseCollections({ limit })).invoices.map(({ invoiceId }) => invoiceId);
  const createDue = async (customerId: string) => {
    const { invoiceId } = await billing.createOpen(customerId, [line()], { isAutoAdvancing: true });
    await rows("update invoice set lease_end_time = null where invoice_id = $1", invoiceId);
    return invoiceId;
  };
  return { writer, ...billing, lease, createDue };
}

test("two who lease at once get other invoices, and nobody gets one again within its lease", async () => {
  const { createCustomer, createDue, lease } = await setup();
  const customerId = await createCustomer();
  const ids = [];
  for (let n = 0; n < 6; n += 1) ids.push(await createDue(customerId));
  const both = await Promise.all([lease(3), lease(3)]);
  expect(both.flat().sort()).toEqual(ids.sort());
  expect(await lease(10)).toEqual([]);
  await rows("update invoice set lease_end_time = statement_timestamp() where invoice_id = $1", ids[2]);
  expect(await lease(10)).toEqual([ids[2]]);
});

test("whoever finalizes an invoice has its collection to itself at first", async () => {
  const { createCustomer, createOpen, lease } = await setup();
  await createOpen(await createCustomer(), [line()], { isAutoAdvancing: true });
  expect(await lease(10)).toEqual([]);
});

test("a draft that advances by itself is due after its hour, and says that it is a draft", async () => {
  const { writer, createCustomer, createDraft, lease } = await setup();
  const { invoiceId } = await createDraft(await createCustomer(), [line()], { isAutoAdvancing: true });
  expect(await lease(10)).toEqual([]);
  await rows("update invoice set next_attempt_time = business_now(account_id) where invoice_id = $1", invoiceId);
  expect((await writer.leaseCollections({ limit: 10 })).invoices).toMatchObject([
    { accountId, invoiceId, isDraft: true },
  ]);
});

test("customers on a test clock are due by it: early when it is ahead, not yet when it is behind", async () => {
  const { writer, createCustomer, createPrice, createDue, subscribe, lease } = await setup();
  const onClock = async (days: number) => {
    const testClockId = createId("clock_");
    await asOwner(
      `insert into test_clock values ($1, $2, business_now($1) + $3 * interval '1 d', business_now($1))`,
      ...[accountId, testClockId, days],
    );
    const customerId = await createCustomer();
    await rows("update customer set test_clock_id = $2 where customer_id = $1", customerId, testClockId);
    return customerId;
  };
  const [ahead, behind, none] = [await onClock(400), await onClock(-400), await createCustomer()];
  const in30Days = "update invoice set next_attempt_time = business_now($2) + interval '30 d' where invoice_id = $1";
  const [early, late, later] = [await createDue(ahead), await createDue(behind), await createDue(none)];
  for (const id of [early, later]) await rows(in30Days, id, accountId);
  await rows("update invoice set next_attempt_time = business_now($2) where invoice_id = $1", late, accountId);
  expect(await lease(10)).toEqual([early]);
  const active = { state: SubscriptionState.ACTIVE };
  const price = await createPrice();
  const ids = [];
  for (const customerId of [ahead, behind, none])
    ids.push((await subscribe(customerId, price, active)).subscription.subscriptionId);
  const renew = "update subscription set renew_time = business_now($2) + interval '30 d' where subscription_id = $1";
  for (const id of ids) await rows(renew, id, accountId);
  const due = async () =>
    (await writer.leaseRenewals({ limit: 10 })).subscriptions.map((one) => one.subscription?.subscriptionId);
  expect(await due()).toEqual([ids[0]]);
  expect(await due()).toEqual([]);
});

test("leaseRenewals hands out a subscription with its items, disjoint between two", async () => {
  const { writer, createCustomer, createPrice, subscribe } = await setup();
  const [customerId, price] = [await createCustomer(), await createPrice()];
  for (let n = 0; n < 4; n += 1) await subscribe(customerId, price, { state: SubscriptionState.ACTIVE });
  const both = await Promise.all([writer.leaseRenewals({ limit: 2 }), writer.leaseRenewals({ limit: 2 })]);
  const leased = both.flatMap(({ subscriptions }) => subscriptions);
  expect(leased[0]?.subscription?.items[0]?.price).toEqual(price);
  const ids = leased.map(({ subscription }) => subscription?.subscriptionId);
  expect(new Set(ids).size).toBe(ids.length);
});

test("among many rows the leases go by their partial indexes", async () => {
  const { createCustomer } = await setup();
  const customerId = await createCustomer();
  await asOwner(
    `insert into subscription (account_id, subscription_id, revision, customer_id, state, currency_code, interval_unit,
      interval_count, collection_method, days_until_due, anchor_time, period_index, period_start_time, period_end_time,
      is_ending_with_period, description, metadata, renew_time, create_time)
    select $1, 'sub_' || n, 1, $2, 'active', 'USD', 'month', 1, 'charge_automatically', 0, b, 0, b, b + interval '30 d',
      false, '', '{}', b + interval '30 d', b from generate_series(1, 20000) n, business_now($1) b`,
    ...[accountId, customerId],
  );
  await asOwner("analyze subscription");
  const plan = await asOwner<{ "QUERY PLAN": string }>(
    `explain select subscription_id from subscription where renew_time <= business_now('')
      and renew_time <= business_now(account_id, customer_id)
      and (lease_end_time is null or lease_end_time <= statement_timestamp())
      order by renew_time limit 500 for no key update skip locked`,
  );
  expect(plan.map((row) => row["QUERY PLAN"]).join("\n")).toContain("subscription_due");
});

test("beginSending makes one sending a request, marked sent once; the first hash of the PDF stays", async () => {
  const { writer, key, createCustomer, createOpen } = await setup();
  const { invoiceId } = await createOpen(await createCustomer());
  const send = async (fill: number) => {
    const request = { ...key(), invoiceId, sendingId: createId("snd_") };
    const { sendingId } = await writer.beginSending(request);
    const again = { ...request, sendingId: createId("snd_") };
    expect(await writer.beginSending(again)).toMatchObject({ sendingId, isSent: false });
    const mark = {
      accountId,
      requestId: sendingId,
      sendingId,
      messageId: `m${fill}`,
      pdfSha256: new Uint8Array(32).fill(fill),
    };
    const { invoice } = await writer.markSent(mark);
    expect((await writer.markSent({ ...mark, messageId: "other" })).invoice).toEqual(invoice);
    expect(await writer.beginSending(again)).toMatchObject({ sendingId, isSent: true });
    return invoice?.pdfSha256[0];
  };
  expect([await send(1), await send(2)]).toEqual([1, 1]);
  const sent = "select message_id from mail where invoice_id = $1 order by mail_id";
  expect(await rows(sent, invoiceId)).toEqual([{ message_id: "m1" }, { message_id: "m2" }]);
  expect(await rows("select 1 from event where object_id = $1 and type = 'invoice.sent'", invoiceId)).toHaveLength(2);
});

test("an invoice's mail is leased until it was given up; its caller has it to itself at first", async () => {
  const { writer, key, createCustomer, createOpen } = await setup();
  const { invoiceId } = await createOpen(await createCustomer());
  const { sendingId } = await writer.beginSending({ ...key(), invoiceId, sendingId: createId("snd_") });
  const lease = async () => (await writer.leaseMails({ limit: 5, accountMax: 5 })).mails;
  expect(await lease()).toEqual([]);
  await makeDue(sendingId);
  expect(await lease()).toMatchObject([{ accountId, mailId: sendingId, kind: MailKind.INVOICE, objectId: invoiceId }]);
  await makeDue(sendingId);
  const { invoice } = await writer.markSent({ accountId, requestId: sendingId, sendingId, isGivenUp: true });
  expect(invoice?.sendTime).toBeUndefined();
  expect(await lease()).toEqual([]);
  const unknown = writer.markSent({ accountId, requestId: "snd_none", sendingId: "snd_none" });
  expect((await refusal(unknown))?.reason).toBe("SENDING_NOT_FOUND");
});

/** As if its wait or its lease were over; a mail that is over stays so. */
async function makeDue(mailId: string): Promise<void> {
  await rows("update mail set due_time = statement_timestamp() where mail_id = $1 and state = 'due'", mailId);
}
