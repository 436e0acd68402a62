import type { Account } from "../../../gen/tripe/billing/v1/account_pb.ts";
import { CollectionMethod, type Invoice, InvoiceState } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { isAddress } from "../../../services/_runtime/email-address.ts";
import { mailInvoice } from "../../../services/_runtime/mail-invoice.ts";
import { expand, group } from "../../decode/fields.ts";
import { invoiceWithoutEmail } from "../../invoice-problems.ts";
import { found } from "../../reads.ts";
import { defineRoute, type PublicRequest, replayOf } from "../../route.ts";
import { invoiceExpandable, showInvoice } from "./show-invoice.ts";

/**
 * Mails an invoice: reader.GetInvoice ‖ reader.GetAccount → (reader.GetCustomer → writer.FinalizeInvoice, of a draft) →
 * writer.BeginSending → pdf.RenderInvoice → mailer.SendInvoice → writer.MarkSent. From BeginSending on it is in the outbox,
 * so whatever fails after it is done later by the scheduler, under the same Message-ID: the answer is 200 all the same.
 */
export const sendInvoiceRoute = defineRoute({
  method: "POST",
  path: "/v1/invoices/:id/send",
  operationId: "sendInvoice",
  answers: "Invoice",
  summary: "Mail an invoice to its customer, with its PDF; a draft is finalized first.",
  params: group({ expand }),
  expandable: invoiceExpandable,
  mentions: (given) => ({ invoice: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients, id: invoiceId, identity } = request;
    const [{ invoice: read }, { account }] = await Promise.all([
      clients.reader.getInvoice({ accountId, invoiceId }),
      clients.reader.getAccount({ accountId }),
    ]);
    const invoice = await finalized(request, found(read));
    if (!isAddress(recipientOf(invoice))) throw invoiceWithoutEmail();
    const { isSent, sendingId } = await clients.writer.beginSending({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      invoiceId,
      sendingId: request.createId("snd_"),
    });
    const sent = isSent ? invoice : await deliver(request, { invoice, seller: found(account), sendingId });
    return { body: await showInvoice(request, sent), isReplayed: isSent };
  },
  replay: replayOf("invoice", showInvoice),
});

function recipientOf({ customerDetails }: Invoice): string {
  return customerDetails?.email ?? "";
}

/** Finalizes a draft, as the action's first write. A customer who cannot be mailed to is found out before that. */
async function finalized({ accountId, clients, identity, reads }: PublicRequest, invoice: Invoice): Promise<Invoice> {
  if (invoice.state !== InvoiceState.DRAFT) return invoice;
  const { customerId, collectionMethod, invoiceId } = invoice;
  if (!isAddress((await reads.customer(customerId))?.email ?? "")) throw invoiceWithoutEmail();
  const answer = await clients.writer.finalizeInvoice({
    accountId,
    requestId: identity.step(1),
    requestDigest: identity.digest,
    invoiceId,
    // Finalized to advance by itself, it would be mailed by itself as well: twice.
    ...(collectionMethod === CollectionMethod.SEND_INVOICE ? { isAutoAdvancing: false } : {}),
  });
  return found(answer.invoice);
}

interface Sending {
  readonly invoice: Invoice;
  readonly seller: Account;
  readonly sendingId: string;
}

// A client waits 10 s at most (serve-route.ts), and printing may take 5 (deadlines.ts). A mail server takes some 200 ms;
// one that takes longer than this is left to the outbox.
const SEND_MS = 4_000;

/** Renders, mails and marks; or gives the invoice back as it was, when any of it failed and the sweep of mails will do it. */
async function deliver(
  { accountId, clients }: PublicRequest,
  { invoice, seller, sendingId }: Sending,
): Promise<Invoice> {
  const mail = { accountId, sendingId, invoice, seller, recipient: recipientOf(invoice), timeoutMs: SEND_MS };
  try {
    return (await mailInvoice(clients, mail)) ?? invoice;
  } catch {
    // Each failed call is logged where it was made. The mail is due again 30 s after it was begun.
    return invoice;
  }
}
