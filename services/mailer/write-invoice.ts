import { Code } from "@connectrpc/connect";
import { type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { SendInvoiceRequest } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { formatMoney } from "../_runtime/money.ts";
import type { Mail } from "./compose.ts";
import type { Letter } from "./letter.ts";
import { calendarDay, dayOf, oneLine } from "./words.ts";

/**
 * Writes the mail an invoice is sent with. Refuses a draft (INVOICE_NOT_FINALIZED), an attachment that is no PDF
 * (PDF_MALFORMED) and a link that is not http or https (URL_MALFORMED).
 */
export function writeInvoice(request: SendInvoiceRequest): Mail {
  const { seller, invoice, pdf } = request;
  assert(seller !== undefined && invoice !== undefined, "a request holds a seller and an invoice");
  check(invoice, request);
  const sender = oneLine(seller.name);
  return {
    seller,
    time: invoice.finalizeTime ?? invoice.createTime,
    attachments: [{ filename: `Invoice-${invoice.number.replaceAll(/[^\p{L}\p{N}._-]/gu, "-")}.pdf`, content: pdf }],
    letter: {
      subject: `Invoice ${oneLine(invoice.number)} from ${sender}`,
      sender,
      headline: headline(invoice),
      paragraphs: ["Your invoice is attached to this mail.", invoice.description],
      facts: facts(invoice),
      link: request.url === "" ? undefined : { label: "View the invoice", url: request.url },
      questionsTo: oneLine(seller.email),
    },
  };
}

function check({ number, state }: Invoice, { pdf, url }: SendInvoiceRequest): void {
  if (state === InvoiceState.DRAFT || number === "") {
    refuse(Code.FailedPrecondition, "INVOICE_NOT_FINALIZED", "a draft is not sent", "invoice");
  }
  if (Buffer.from(pdf.subarray(0, 5)).toString("latin1") !== "%PDF-") {
    refuse(Code.InvalidArgument, "PDF_MALFORMED", "the attachment is no PDF", "pdf");
  }
  const isLink = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  if (url !== "" && !isLink) refuse(Code.InvalidArgument, "URL_MALFORMED", "a link is http or https", "url");
}

function headline(invoice: Invoice): string {
  if (invoice.state === InvoiceState.PAID) return `${total(invoice)} paid`;
  const { dueDate } = invoice;
  return dueDate === undefined ? `${due(invoice)} due` : `${due(invoice)} due ${calendarDay(dueDate)}`;
}

function facts(invoice: Invoice): Letter["facts"] {
  const { number, finalizeTime, dueDate } = invoice;
  return [
    ["Invoice number", oneLine(number)],
    ["Date of issue", dayOf(finalizeTime)],
    ["Date due", dueDate === undefined ? "" : calendarDay(dueDate)],
    ["Total", total(invoice)],
    ["Amount due", due(invoice)],
  ];
}

function total({ totalMinor, currencyCode }: Invoice): string {
  return formatMoney({ amountMinor: totalMinor, currencyCode });
}

function due({ amountDue, totalMinor, paidMinor, currencyCode }: Invoice): string {
  return formatMoney({ amountMinor: amountDue?.amountMinor ?? totalMinor - paidMinor, currencyCode });
}
