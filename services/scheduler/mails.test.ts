import { afterAll, expect, test, vi } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { BillingReason } from "../../gen/tripe/billing/v1/billing_reason_pb.ts";
import { CollectionMethod } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { PostponedWork } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import { Sweep } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { DeliveryOutcome } from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import { MailOutcome } from "../../gen/tripe/writer/v1/mails_pb.ts";
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
  await mailed(scheduler, invoiceId, { state: "due", tries: 1, problem: "the mail server postponed it" });
  expect(await scheduler.run(Sweep.MAILS)).toMatchObject({ takenCount: 0 });
  isAway = false;
  await makeDue(invoiceId);
  await mailed(scheduler, invoiceId, { state: "sent", tries: 2, due_time: null });
  await makeDue(invoiceId);
  expect(await scheduler.run(Sweep.MAILS)).toMatchObject({ takenCount: 0 });
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
  await mailed(scheduler, invoiceId, { state: "given_up", due_time: null, problem: "there is nobody to mail it to" });
  expect(takeMails()).toEqual([]);
});

test("a receipt is mailed once though two schedulers dispatch and mail at once, while the mail server is away", async () => {
  isAway = true;
  await charge("");
  const chargeId = await charge("bob@example.com");
  const options = { mailing: { retryWaitMs: 20 } };
  const [first, second] = [startTestScheduler(tripe, options), startTestScheduler(tripe, options)];
  await Promise.all([first, second].map((scheduler) => scheduler.run(Sweep.EVENTS)));
  await billing.read("update event set dispatch_time = null where object_id = $1", chargeId);
  await Promise.all([first, second].map((scheduler) => scheduler.run(Sweep.EVENTS)));
  await vi.waitUntil(async () => (await mailRows("receipt")).some(({ tries }) => tries > 0), { timeout: 10_000 });
  expect(await mailRows("receipt")).toHaveLength(1);
  expect(takeMails()).toEqual([]);
  isAway = false;
  const isSent = async () => {
    await Promise.all([first, second].map((scheduler) => scheduler.run(Sweep.MAILS)));
    return (await mailRows("receipt")).every(({ state }) => state === "sent");
  };
  await vi.waitUntil(isSent, { timeout: 20_000, interval: 50 });
  const mails = takeMails();
  expect(mails).toHaveLength(1);
  expect(mails[0]).toMatch(/bob@example.com/);
});

test("notices of disabled endpoints wait for the mail server, and each is mailed once, under one Message-ID", async () => {
  isAway = true;
  await billing.read("update account set email = 'owner@example.com' where account_id = $1", accountId);
  const { writer } = tripe.clientsOf("scheduler");
  for (let index = 0; index < 7; index += 1) {
    const webhookEndpointId = createId("we_");
    await edge.writer.createWebhookEndpoint({
      ...{ accountId, requestId: webhookEndpointId, requestDigest: new Uint8Array([1]) },
      webhookEndpoint: { webhookEndpointId, url: "https://example.com/hook", eventTypes: ["customer.created"] },
    });
  }
  await billing.createCustomer();
  await writer.dispatchEvents({ limit: 500 });
  const { deliveries } = await writer.leaseDeliveries({ limit: 32, endpointMax: 32, accountMax: 32 });
  const tries = deliveries.map(({ delivery }) => ({ delivery: delivery ?? never(), outcome: DeliveryOutcome.GONE }));
  await writer.recordDeliveries({ tries, disableAfter: { seconds: 60n } });
  // Recorded once more, it is of turns that are over.
  await writer.recordDeliveries({ tries, disableAfter: { seconds: 60n } });
  const scheduler = startTestScheduler(tripe, { mailing: { retryWaitMs: 20 } });
  await scheduler.run(Sweep.MAILS);
  const rows = () => mailRows("disabled_endpoint");
  await vi.waitUntil(async () => (await rows()).every((row) => row.tries > 0), { timeout: 10_000, interval: 20 });
  expect(await rows()).toHaveLength(7);
  expect(takeMails()).toEqual([]);
  isAway = false;
  const isSent = async () => {
    // As if the waits were over, which double with each try; what is leased is due in 60 s and stays so.
    await billing.read(
      "update mail set due_time = statement_timestamp() where state = 'due' and due_time < statement_timestamp() + interval '30 s'",
    );
    await scheduler.run(Sweep.MAILS);
    return (await rows()).every(({ state }) => state === "sent");
  };
  await vi.waitUntil(isSent, { timeout: 30_000, interval: 50 });
  const mails = takeMails().filter((mail) => mail.includes("was disabled"));
  expect(mails).toHaveLength(7);
  expect(new Set(mails.map((mail) => /^Message-ID: (.*)$/im.exec(mail)?.[1])).size).toBe(7);
  await billing.read("update account set email = '' where account_id = $1", accountId);
});

test("a mail that was tried for five days is dead, is listed, and is mailed once a person redrives it", async () => {
  isAway = true;
  await charge("old@example.com");
  const { writer } = tripe.clientsOf("scheduler");
  await writer.dispatchEvents({ limit: 500 });
  const { mails: leased } = await writer.leaseMails({ limit: 10, accountMax: 10 });
  const [mail] = leased;
  expect(leased).toHaveLength(1);
  // A lease of before changes nothing.
  const key = { accountId, mailId: mail?.mailId ?? "" };
  const stale = { ...key, tries: 2, outcome: MailOutcome.GIVEN_UP };
  expect(await writer.recordMails({ tries: [stale] })).toMatchObject({ recordedCount: 0 });
  await billing.read("update mail set tries = 126, due_time = statement_timestamp() where mail_id = $1", key.mailId);
  // Begun only now: a scheduler sweeps at its start.
  const scheduler = startTestScheduler(tripe);
  await mailed(scheduler, key.mailId, { state: "dead", tries: 127, due_time: null });
  const operator = tripe.clientsOf("operator");
  const { work } = await operator.reader.listDeadWork({ limit: 10 });
  expect(work).toMatchObject([{ accountId, work: PostponedWork.MAILS, objectId: key.mailId }]);
  const { counts } = await operator.reader.countPostponedWork({});
  expect(counts.find((one) => one.work === PostponedWork.MAILS)).toMatchObject({ deadCount: 1n });
  isAway = false;
  expect(await operator.writer.redriveMails({ limit: 10 })).toMatchObject({ redrivenCount: 1 });
  expect(await operator.writer.redriveMails({ limit: 10 })).toMatchObject({ redrivenCount: 0 });
  await mailed(scheduler, key.mailId, { state: "sent", tries: 1 });
  expect(takeMails()).toHaveLength(1);
});

test("who gets money back is told once", async () => {
  isAway = false;
  const chargeId = await charge("eve@example.com");
  await edge.transactions.createReturn({ ...billing.key(), chargeId, amountMinor: 500n });
  const scheduler = startTestScheduler(tripe);
  await dispatch(scheduler);
  await allMailed();
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
  const scheduler = startTestScheduler(tripe);
  const mailAll = async () => {
    await dispatch(scheduler);
    await allMailed();
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
  const scheduler = startTestScheduler(tripe);
  await dispatch(scheduler);
  await edge.transactions.captureCharge({ ...billing.key(), chargeId: capturedId, amountMinor: 1_000n });
  await dispatch(scheduler);
  await allMailed();
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
  const scheduler = startTestScheduler(tripe);
  const { sweeps } = await scheduler.client.getStatus({});
  const ofMoney = [Sweep.ATTEMPTS, Sweep.HOLDS, Sweep.RENEWALS, Sweep.COLLECTIONS];
  expect(sweeps.map(({ sweep }) => sweep)).toEqual([...ofMoney, Sweep.MAILS, Sweep.EVENTS, Sweep.DELIVERIES]);
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

/** Takes up all events that wait; their mails are begun at once. */
async function dispatch(scheduler: ReturnType<typeof startTestScheduler>): Promise<void> {
  while (((await scheduler.run(Sweep.EVENTS)).takenCount ?? 0) > 0);
}

/** Waits until no mail is due. */
async function allMailed(): Promise<void> {
  const isOver = async () => (await billing.read("select from mail where state = 'due'")).length === 0;
  await vi.waitUntil(isOver, { timeout: 20_000, interval: 50 });
}

interface MailRow {
  readonly state: string;
  readonly tries: number;
}

function mailRows(kind: string): Promise<MailRow[]> {
  return billing.read<MailRow>("select state, tries from mail where kind = $1", kind);
}

/** Sweeps once, and waits until the mail of an object, or of an id, is so. */
async function mailed(scheduler: ReturnType<typeof startTestScheduler>, id: string, wanted: object): Promise<void> {
  await scheduler.run(Sweep.MAILS);
  const text = "select state, tries, due_time, problem from mail where object_id = $1 or mail_id = $1";
  await vi.waitFor(async () => expect(await billing.read(text, id)).toMatchObject([wanted]), { timeout: 20_000 });
}

/** As if its wait were over; a mail that is over stays so. */
async function makeDue(invoiceId: string): Promise<void> {
  const text = "update mail set due_time = statement_timestamp() where invoice_id = $1 and state = 'due'";
  await billing.read(text, invoiceId);
}

function never(): never {
  throw new Error("a leased delivery names itself");
}

/** What the mail server has taken since it was last asked. */
function takeMails(): string[] {
  return mailServer.received.splice(0).map(({ bytes }) => bytes.toString());
}
