import { InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { DueSending } from "../../gen/tripe/writer/v1/collections_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import { assert } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import type { SchedulerClients } from "./clients.ts";
import { fateOf } from "./mail-fate.ts";
import type { SweepRun } from "./sweep.ts";
import { workThrough } from "./work-through.ts";

/** What sending invoices stands on. */
export interface SendInvoicesDependencies {
  readonly clients: Pick<SchedulerClients, "reader" | "writer" | "pdf" | "mailer">;
  readonly clock: Clock;
  readonly log: Log;
}

/** What four lanes print and mail in some 5 s: a sending is leased for 30 s, and taking it counts as a try. */
export const SENDINGS_LIMIT = 40;

/** The printer has one thread and the mailer five connections: more would wait in line. */
const LANES_COUNT = 4;

/** Prints and mails every invoice whose mail is due. What the mail server postpones is due again by itself. */
export async function sendDue({ clients, clock, log }: SendInvoicesDependencies): Promise<SweepRun> {
  const { sendings } = await clients.writer.leaseSendings({ limit: SENDINGS_LIMIT });
  const work = (sending: DueSending) => sendOne(clients, sending);
  return workThrough({ rows: sendings, work, lanesCount: LANES_COUNT, name: "sendings", clock, log });
}

/** Sends one; says whether it is over. The sending's id is the mail's key, so that sent again it is the same mail. */
async function sendOne(
  { reader, writer, pdf, mailer }: SendInvoicesDependencies["clients"],
  { accountId, sendingId, invoiceId }: DueSending,
): Promise<boolean> {
  const [{ invoice }, { account: seller }] = await Promise.all([
    reader.getInvoice({ accountId, invoiceId }),
    reader.getAccount({ accountId }),
  ]);
  assert(invoice !== undefined && seller !== undefined, "a sending has an invoice and a seller");
  const key = { accountId, requestId: sendingId };
  const recipient = invoice.customerDetails?.email ?? "";
  if (recipient === "" || invoice.state === InvoiceState.VOID) {
    await writer.markSent({ ...key, sendingId, isGivenUp: true });
    return true;
  }
  const printed = await pdf.renderInvoice({ accountId, invoice, seller });
  const mail = { ...key, seller, invoice, pdf: printed.pdf, recipients: [recipient] };
  const { messageId, deliveries } = await mailer.sendInvoice(mail);
  const fate = fateOf(deliveries);
  if (fate === "postponed") return false;
  if (fate === "failed") await writer.markSent({ ...key, sendingId, messageId, isGivenUp: true });
  else await writer.markSent({ ...key, sendingId, messageId, pdfSha256: printed.sha256 });
  return true;
}
