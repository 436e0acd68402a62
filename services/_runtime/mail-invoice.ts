import type { Client } from "@connectrpc/connect";
import type { Account } from "../../gen/tripe/billing/v1/account_pb.ts";
import type { Invoice } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { type MailerService, MailResult } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import type { PdfService } from "../../gen/tripe/pdf/v1/pdf_service_pb.ts";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";

/** The rpcs that mailing an invoice takes. */
export interface MailInvoiceClients {
  readonly pdf: Pick<Client<typeof PdfService>, "renderInvoice">;
  readonly mailer: Pick<Client<typeof MailerService>, "sendInvoice">;
  readonly writer: Pick<Client<typeof WriterService>, "markSent">;
}

/** An invoice to be mailed. The sending's id is the mail's key: sent again, it is the same mail. */
export interface InvoiceMail {
  readonly accountId: string;
  readonly sendingId: string;
  readonly invoice: Invoice;
  readonly seller: Account;
  readonly recipient: string;
  /** How long the mail server may take; default as the rpc has it. */
  readonly timeoutMs?: number;
}

/**
 * Renders an invoice, mails it, and records that it was sent, or that no mail server will ever take it. Gives the invoice as it is
 * then; undefined when the mail server postponed it, and nothing was recorded.
 */
export async function mailInvoice(clients: MailInvoiceClients, mail: InvoiceMail): Promise<Invoice | undefined> {
  const { accountId, sendingId, invoice, seller, recipient, timeoutMs } = mail;
  const key = { accountId, requestId: sendingId };
  const { pdf, sha256 } = await clients.pdf.renderInvoice({ accountId, invoice, seller });
  const sent = await clients.mailer.sendInvoice(
    { ...key, seller, invoice, pdf, recipients: [recipient] },
    timeoutMs === undefined ? {} : { timeoutMs },
  );
  if (sent.result === MailResult.POSTPONED) return undefined;
  const isGivenUp = sent.result === MailResult.FAILED;
  const pdfSha256 = isGivenUp ? new Uint8Array() : sha256;
  const marked = await clients.writer.markSent({ ...key, sendingId, messageId: sent.messageId, pdfSha256, isGivenUp });
  return marked.invoice;
}
