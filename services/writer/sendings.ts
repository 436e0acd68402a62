import { Code } from "@connectrpc/connect";
import { InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { BeginSendingRequest, MarkSentRequest } from "../../gen/tripe/writer/v1/collections_pb.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { tell, told } from "./event-drafts.ts";
import { lockInvoice } from "./invoice-rows.ts";
import { invoiceEffect } from "./invoices.ts";
import { once } from "./once.ts";
import { nounOf } from "./snapshots.ts";

/** How long the caller that begins a sending has it to itself; then the sweep of mails sends it. */
const LEASE_MS = 30_000;

const BEGIN = {
  name: "begin_sending",
  text: `insert into mail (account_id, mail_id, kind, object_id, invoice_id, request_id, state, tries, due_time, create_time)
    select $1, $3, 'invoice', $2, $2, $4, 'due', 0, statement_timestamp() + ${LEASE_MS} * interval '1 ms', business_now($1, customer_id)
    from invoice where account_id = $1 and invoice_id = $2`,
};

const FIND = {
  name: "find_sending",
  text: "select mail_id, state in ('sent', 'given_up') as is_over from mail where account_id = $1 and request_id = $2",
};

const MARK = {
  name: "mark_sent",
  text: `update mail set state = case when $5 then 'given_up' else 'sent' end, due_time = null, message_id = $3, pdf_sha256 = $4,
      send_time = case when $5 then null else business_now($1) end
    where account_id = $1 and mail_id = $2 and state in ('due', 'dead') and kind = 'invoice'
    returning invoice_id`,
};

const SENT = {
  name: "invoice_sent",
  text: `update invoice set send_time = business_now($1, customer_id), pdf_sha256 = coalesce(pdf_sha256, $3)
    where account_id = $1 and invoice_id = $2`,
};

const OF_SENDING = {
  name: "invoice_of_sending",
  text: "select invoice_id from mail where account_id = $1 and mail_id = $2 and kind = 'invoice'",
};

/** Puts an invoice into the outbox, once a request. Refuses INVOICE_NOT_FOUND, and with INVOICE_NOT_FINALIZED a draft. */
export async function beginSending(dependencies: WriterDependencies, request: BeginSendingRequest) {
  const { accountId, invoiceId, requestId } = request;
  const { answer } = await once(dependencies, request, async (query) => {
    const invoice = await lockInvoice(query, { accountId, invoiceId });
    if (invoice.state === InvoiceState.DRAFT || invoice.state === InvoiceState.VOID) {
      const message = `the invoice ${invoiceId} is not finalized, or void`;
      refuse(Code.FailedPrecondition, "INVOICE_NOT_FINALIZED", message, "invoice_id");
    }
    await query(BEGIN, [accountId, invoiceId, request.sendingId, requestId]);
    return invoiceEffect(invoice);
  });
  const [row] = await dependencies.database.query<{ mail_id: string; is_over: boolean }>(FIND, [accountId, requestId]);
  assert(row !== undefined, "a sending that was begun is there");
  return { sendingId: row.mail_id, invoice: nounOf(answer, "invoice"), isSent: row.is_over };
}

/** Records that an invoice was mailed, or that its mail was given up; once. The first hash of its PDF stays. */
export async function markSent({ database }: WriterDependencies, request: MarkSentRequest) {
  const { accountId, sendingId, messageId, pdfSha256, isGivenUp } = request;
  return database.transaction(async (query) => {
    const hash = pdfSha256.length === 0 ? null : pdfSha256;
    const [marked] = await query<{ invoice_id: string }>(MARK, [accountId, sendingId, messageId, hash, isGivenUp]);
    const [known] = await query<{ invoice_id: string }>(OF_SENDING, [accountId, sendingId]);
    if (known === undefined) refuse(Code.NotFound, "SENDING_NOT_FOUND", `no sending ${sendingId}`, "sending_id");
    const invoiceId = known.invoice_id;
    if (marked === undefined || isGivenUp) return { invoice: await lockInvoice(query, { accountId, invoiceId }) };
    await query(SENT, [accountId, invoiceId, hash]);
    const invoice = await lockInvoice(query, { accountId, invoiceId });
    const by = { accountId, customerId: invoice.customerId };
    await tell(query, by, [told("invoice.sent", "invoice", invoice)]);
    return { invoice };
  });
}
