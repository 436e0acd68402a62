import { afterAll, expect, onTestFinished, test } from "vitest";
import { CollectionMethod } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { createId } from "../_runtime/ids.ts";
import type { TestTripe } from "../testing.ts";
import { createSteps } from "../transactions/testing.ts";
import { createBillingSteps, line } from "../writer/testing-billing.ts";
import { createWorld } from "./testing/world.ts";

const { owner, audit, forget, readLines } = await createWorld(liveThroughBilling);
afterAll(() => owner.end());

/** A subscription of two periods, paid by a charge; two provisional ones, of which one was declined; an invoice that was mailed. */
async function liveThroughBilling(tripe: TestTripe): Promise<void> {
  const { accountId } = tripe;
  const { edge, createPayer } = createSteps(tripe);
  const steps = createBillingSteps(edge.writer, accountId);
  const { customerId } = await createPayer();
  const price = await steps.createPrice();
  const { subscription, invoiceId } = await steps.subscribe(customerId, price);
  await edge.transactions.collectInvoice({ accountId, requestId: createId("req_"), invoiceId });
  await tripe.clientsOf("scheduler").writer.renewSubscription(steps.renewRequest(subscription, 1));
  for (const isCollected of [true, false]) {
    const declined = await createPayer("4000000000000341");
    const request = steps.subscriptionRequest(declined.customerId, price);
    await edge.writer.createSubscription({ ...request, isProvisional: true });
    const collection = { accountId, requestId: createId("req_"), invoiceId: request.invoice.invoiceId };
    if (isCollected) await edge.transactions.collectInvoice(collection);
  }
  const sent = { collectionMethod: CollectionMethod.SEND_INVOICE, daysUntilDue: 7, isAutoAdvancing: true };
  const { invoiceId: mailedId } = await steps.createOpen(customerId, [line()], sent);
  const { mails } = await tripe.clientsOf("scheduler").writer.leaseMails({ limit: 5, accountMax: 5 });
  const sendingId = mails.find((one) => one.objectId === mailedId)?.mailId ?? "";
  const mark = { accountId, requestId: sendingId, sendingId, messageId: "m", pdfSha256: new Uint8Array(32) };
  await tripe.clientsOf("scheduler").writer.markSent(mark);
}

async function* read() {
  yield* await readLines();
}

test("books with invoices, a renewal, provisional subscriptions and a mail are clean", async () => {
  expect(await audit(read())).toEqual([]);
});

const ofPeriod0 = "(select invoice_id from invoice where period_index = 0)";

/** What is planted, and the checks that must find it: these and no others. */
const faults: Record<string, [string, string[]]> = {
  "a period billed twice": [
    `alter table invoice drop constraint invoice_account_id_subscription_id_period_index_key;
      update invoice set period_index = 0 where period_index = 1`,
    ["invoices-once", "subscriptions-billed"],
  ],
  "a line that was changed": [
    `update invoice_line set amount_minor = amount_minor + 1 where invoice_id in ${ofPeriod0}`,
    ["invoices-summed"],
  ],
  "an invoice paid by nothing": [
    `update invoice set state = 'paid', paid_minor = amount_due_minor, pay_time = create_time where state = 'open'`,
    ["events-told", "invoices-paid"],
  ],
  "a payment whose invoice is open": [
    `update invoice set state = 'open', paid_minor = 0, pay_time = null where invoice_id in ${ofPeriod0}`,
    ["events-told", "invoices-paid"],
  ],
  "a payment canceled whose charge succeeded": [
    `update invoice_payment set state = 'canceled', pay_time = null`,
    ["invoices-paid"],
  ],
  "a payment that nobody finished": [
    `update invoice set state = 'open', paid_minor = 0, pay_time = null where invoice_id in ${ofPeriod0};
      update invoice_payment set state = 'open', pay_time = null;
      update charge set settle_time = settle_time - interval '61 s'
        where charge_id in (select charge_id from invoice_payment)`,
    ["events-told", "payments-finished"],
  ],
  "a key that collected an invoice and made another charge": [
    `update idempotency d set noun_id = (select charge_id from charge where invoice_id is null limit 1)
      from collection_claim k where d.account_id = k.account_id and d.request_id = k.request_id`,
    ["claims-agree"],
  ],
  "a number left out": ["update invoice set sequence = 3 where sequence = 2", ["invoices-numbered"]],
  "a number given twice": [
    `alter table invoice drop constraint invoice_account_id_customer_id_sequence_key;
      update invoice set sequence = 1 where sequence = 2`,
    ["invoices-numbered"],
  ],
  "a period that does not follow the one before": [
    "update invoice set period_start_time = period_start_time + interval '1 s' where period_index = 1",
    ["subscriptions-billed"],
  ],
  "a subscription further than its invoices": ["update subscription set period_index = 2", ["subscriptions-billed"]],
  "a mail that nobody sends": [
    `update mail set state = 'due', send_time = null, due_time = statement_timestamp() - interval '11 min'`,
    ["events-told", "mails-ended"],
  ],
  "a mail without its PDF's hash": ["update mail set pdf_sha256 = null", ["mails-ended"]],
  "an invoice that was to be sent and was not": ["delete from mail", ["events-told", "invoices-sent"]],
  "an invoice with two mails of its own": [
    `insert into mail (account_id, mail_id, kind, object_id, invoice_id, request_id, state, tries, message_id, pdf_sha256,
        create_time, send_time)
      select account_id, mail_id || '2', kind, object_id, invoice_id, mail_id || '2', state, tries, message_id, pdf_sha256, create_time,
        send_time from mail`,
    ["events-told", "invoices-sent"],
  ],
  "a receipt of no event": [
    `insert into mail (account_id, mail_id, kind, object_id, state, tries, due_time, create_time)
      select account_id, 'evt_gone', 'receipt', 'evt_gone', 'due', 0, statement_timestamp(), statement_timestamp() from account
      where not is_live`,
    ["mails-named"],
  ],
};

test.each(Object.entries(faults))("the audit finds %s", async (_sentence, [plant, names]) => {
  onTestFinished(forget);
  await owner.query(plant);
  expect((await audit(read())).map(({ name }) => name)).toEqual(names);
});
