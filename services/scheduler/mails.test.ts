import { afterAll, expect, test, vi } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { BillingReason } from "../../gen/tripe/billing/v1/billing_reason_pb.ts";
import { CollectionMethod } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { Sweep } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startServer } from "../mailer/testing/mail-server.ts";
import { startTestTripe } from "../testing.ts";
import { setupBilling, startTestScheduler } from "./testing/billing.ts";

vi.setConfig({ testTimeout: 60_000 });

// A mail server that takes no recipient until it is told to.
let isAway = true;
const mailServer = await startServer({ recipient: () => (isAway ? "451 try later" : undefined) });
const tripe = await startTestTripe({ smtpUrl: mailServer.url });
const billing = await setupBilling(tripe);
const { accountId, edge } = billing;
afterAll(async () => {
  await billing.close();
  await mailServer.close();
});

test("an invoice that is to be sent is mailed once in the end, though the mail server was away for a while", async () => {
  isAway = true;
  const customerId = await billing.createCustomer();
  const invoiceId = await createInvoice(customerId);
  const scheduler = startTestScheduler(tripe);
  await scheduler.run(Sweep.SENDINGS);
  expect(await scheduler.run(Sweep.SENDINGS)).toMatchObject({ takenCount: 0 });
  expect(await sendingOf(invoiceId)).toMatchObject([{ tries: 1, is_due: true, is_given_up: false }]);
  isAway = false;
  await makeDue(invoiceId);
  expect(await scheduler.run(Sweep.SENDINGS)).toMatchObject({ takenCount: 1, doneCount: 1 });
  await makeDue(invoiceId);
  expect(await scheduler.run(Sweep.SENDINGS)).toMatchObject({ takenCount: 0 });
  expect(await sendingOf(invoiceId)).toMatchObject([{ tries: 2, is_due: false, is_given_up: false }]);
  const mails = takeMails();
  expect(mails).toHaveLength(1);
  expect(mails[0]).toMatch(/Content-Type: application\/pdf/);
  const { invoice } = await edge.reader.getInvoice({ accountId, invoiceId });
  expect(invoice?.sendTime).toBeDefined();
  expect(invoice?.pdfSha256).toHaveLength(32);
});

test("an invoice of a customer without an address is not mailed, and not tried again", async () => {
  const invoiceId = await createInvoice(await billing.createCustomer(undefined, ""));
  const scheduler = startTestScheduler(tripe);
  await scheduler.run(Sweep.SENDINGS);
  expect(await sendingOf(invoiceId)).toMatchObject([{ is_due: false, is_given_up: true }]);
  expect(takeMails()).toEqual([]);
});

test("a receipt is mailed once though its event is dispatched twice, by two schedulers, while the mail server is away", async () => {
  isAway = true;
  await charge("");
  const chargeId = await charge("bob@example.com");
  const options = { mails: true, retryDelaySeconds: 1 };
  const [first, second] = [startTestScheduler(tripe, options), startTestScheduler(tripe, options)];
  await dispatch(first);
  await billing.read("update event set dispatch_time = null where object_id = $1", chargeId);
  await Promise.all([dispatch(first), dispatch(second)]);
  const [row] = await billing.read<{ count: number }>(
    "select count(*)::int as count from jobs.job where name = 'mail'",
  );
  expect(row?.count).toBe(1);
  await vi.waitUntil(
    () => [...first.log.errors, ...second.log.errors].some(({ message }) => message === "a mail is tried again"),
    { timeout: 10_000 },
  );
  isAway = false;
  await vi.waitUntil(async () => (await jobStates()).every((state) => state === "completed"), {
    timeout: 20_000,
    interval: 100,
  });
  const mails = takeMails();
  expect(mails).toHaveLength(1);
  expect(mails[0]).toMatch(/bob@example.com/);
});

test("notices of disabled endpoints wait for the mail server in the queue, and each is mailed once", async () => {
  isAway = true;
  await billing.read("update account set email = 'owner@example.com' where account_id = $1", accountId);
  for (let index = 0; index < 7; index += 1) {
    const webhookEndpointId = createId("we_");
    await edge.writer.createWebhookEndpoint({
      ...{ accountId, requestId: webhookEndpointId, requestDigest: new Uint8Array([1]) },
      webhookEndpoint: { webhookEndpointId, url: "https://example.com/hook", eventTypes: ["*"] },
    });
  }
  await billing.read("update webhook_endpoint set disable_reason = 'gone', disable_time = statement_timestamp()");
  const scheduler = startTestScheduler(tripe, { mails: true, retryDelaySeconds: 1 });
  await vi.waitFor(() => scheduler.run(Sweep.DELIVERIES), { timeout: 30_000 });
  await vi.waitUntil(
    async () =>
      (await tripe.clientsOf("scheduler").reader.listUnnoticedEndpoints({ limit: 10 })).endpoints.length === 0,
  );
  expect(takeMails()).toEqual([]);
  isAway = false;
  await vi.waitUntil(() => mailServer.received.length >= 7, { timeout: 30_000, interval: 50 });
  await scheduler.run(Sweep.DELIVERIES);
  expect(takeMails().filter((mail) => mail.includes("was disabled"))).toHaveLength(7);
  await billing.read("update account set email = '' where account_id = $1", accountId);
});

test("who gets money back is told once", async () => {
  isAway = false;
  const chargeId = await charge("eve@example.com");
  await edge.transactions.createReturn({ ...billing.key(), chargeId, amountMinor: 500n });
  const scheduler = startTestScheduler(tripe, { mails: true });
  await dispatch(scheduler);
  await vi.waitUntil(async () => (await jobStates()).every((state) => state === "completed"), {
    timeout: 20_000,
    interval: 100,
  });
  const mails = takeMails();
  expect(mails).toHaveLength(2);
  expect(new Set(mails.map((mail) => /^Subject: (.*)$/m.exec(mail)?.[1])).size).toBe(2);
});

test("who gets money back that was long in coming is told once, and not before it came", async () => {
  isAway = false;
  const chargeId = await charge("liz@example.com");
  const { writer } = tripe.clientsOf("transactions");
  const ids = { returnId: createId("re_"), attemptId: createId("att_"), chargeId };
  const { attempt } = await writer.beginReturn({ ...billing.key(), ...ids, amountMinor: 500n });
  const of = { accountId, requestId: ids.attemptId, attemptId: ids.attemptId, fence: attempt?.fence ?? 0 };
  await writer.postponeAttempt({ ...of, delayMs: 600_000n, bank: "" });
  const scheduler = startTestScheduler(tripe, { mails: true });
  const mailAll = async () => {
    await dispatch(scheduler);
    await vi.waitUntil(async () => (await jobStates()).every((state) => state === "completed"), {
      timeout: 20_000,
      interval: 100,
    });
    return takeMails();
  };
  expect(await mailAll()).toHaveLength(1);
  await writer.settleReturn({ ...of, ...ids, outcome: { kind: OutcomeKind.ACCEPTED, bank: "sandbox" } });
  expect(await mailAll()).toMatchObject([expect.stringMatching(/5\.00/)]);
});

test("what is held has its receipt when it is captured, of what was; what is let go has no mail", async () => {
  isAway = false;
  const capturedId = await charge("pia@example.com", true);
  const voidedId = await charge("pam@example.com", true);
  await edge.transactions.createReturn({ ...billing.key(), chargeId: voidedId });
  const scheduler = startTestScheduler(tripe, { mails: true });
  await dispatch(scheduler);
  await edge.transactions.captureCharge({ ...billing.key(), chargeId: capturedId, amountMinor: 1_000n });
  await dispatch(scheduler);
  await vi.waitUntil(async () => (await jobStates()).every((state) => state === "completed"), {
    timeout: 20_000,
    interval: 100,
  });
  const mails = takeMails();
  expect(mails).toHaveLength(1);
  expect(mails[0]).toMatch(/^Subject: .*10\.00/m);
  expect(mails[0]).not.toMatch(/12\.50/);
});

test("the sweep of holds lets go of what was not captured in time", async () => {
  const chargeId = await charge("", true);
  const scheduler = startTestScheduler(tripe);
  expect(await scheduler.run(Sweep.HOLDS)).toMatchObject({ takenCount: 0 });
  await billing.read("update charge set capture_before_time = create_time where charge_id = $1", chargeId);
  const isReleased = async () => {
    await scheduler.run(Sweep.HOLDS);
    return (await edge.reader.getCharge({ accountId, chargeId })).charge?.releaseTime !== undefined;
  };
  await vi.waitUntil(isReleased, { timeout: 10_000 });
});

test("the status lists every sweep", async () => {
  const scheduler = startTestScheduler(tripe, { mails: true });
  const { sweeps } = await scheduler.client.getStatus({});
  const ofTables = [Sweep.ATTEMPTS, Sweep.HOLDS, Sweep.RENEWALS, Sweep.COLLECTIONS, Sweep.SENDINGS];
  expect(sweeps.map(({ sweep }) => sweep)).toEqual([...ofTables, Sweep.EVENTS, Sweep.DELIVERIES]);
});

test("while the queue of mails cannot be opened, events stay in the outbox", async () => {
  const chargeId = await charge("zoe@example.com");
  const away = new URL(tripe.database.urls.scheduler);
  away.port = "1";
  const scheduler = startTestScheduler(tripe, { mails: true, url: away.href });
  await expect(scheduler.run(Sweep.EVENTS)).rejects.toThrow(/not open/);
  const rows = await billing.read("select dispatch_time from event where object_id = $1", chargeId);
  expect(rows).toEqual([{ dispatch_time: null }]);
});

/** Makes an invoice that is to be mailed, and finalizes it: its sending is due. */
async function createInvoice(customerId: string): Promise<string> {
  const invoiceId = createId("in_");
  const invoice = {
    invoiceId,
    customerId,
    currencyCode: "USD",
    billingReason: BillingReason.MANUAL,
    collectionMethod: CollectionMethod.SEND_INVOICE,
    daysUntilDue: 14,
    isAutoAdvancing: true,
    lines: [{ description: "Work", quantity: 1n, amountMinor: 2_500n }],
  };
  await edge.writer.createInvoice({ ...billing.key(), invoice });
  await edge.writer.finalizeInvoice({ ...billing.key(), invoiceId });
  return invoiceId;
}

async function charge(receiptEmail: string, isHeld = false): Promise<string> {
  const customerId = await billing.createCustomer();
  const { customer } = await edge.reader.getCustomer({ accountId, customerId });
  const chargeId = createId("ch_");
  const made = await edge.transactions.createCharge({
    ...billing.key(),
    charge: {
      chargeId,
      customerId,
      paymentMethodId: customer?.defaultPaymentMethodId ?? "",
      amount: { amountMinor: 1_250n, currencyCode: "USD" },
      receiptEmail,
      isHeld,
    },
  });
  return made.charge?.chargeId ?? chargeId;
}

/** Sweeps the outbox once the queue is open. */
async function dispatch(scheduler: ReturnType<typeof startTestScheduler>): Promise<void> {
  await vi.waitFor(() => scheduler.run(Sweep.EVENTS), { timeout: 20_000, interval: 50 });
}

async function jobStates(): Promise<string[]> {
  const rows = await billing.read<{ state: string }>("select state::text from jobs.job where name = 'mail'");
  return rows.map(({ state }) => state);
}

function sendingOf(invoiceId: string) {
  const text = "select tries, due_time is not null as is_due, is_given_up from sending where invoice_id = $1";
  return billing.read(text, invoiceId);
}

/** As if its wait were over; a sending that is over stays so. */
async function makeDue(invoiceId: string): Promise<void> {
  await billing.read(
    "update sending set due_time = statement_timestamp() where invoice_id = $1 and due_time is not null",
    invoiceId,
  );
}

/** What the mail server has taken since it was last asked. */
function takeMails(): string[] {
  return mailServer.received.splice(0).map(({ bytes }) => bytes.toString());
}
