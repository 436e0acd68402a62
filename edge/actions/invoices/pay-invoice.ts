import { Code } from "@connectrpc/connect";
import Type from "typebox";
import { type Charge, ChargeState } from "../../../gen/tripe/billing/v1/charge_pb.ts";
import { type Invoice, InvoiceState } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { assert, refusalOf } from "../../../services/_runtime/errors.ts";
import { expand, group, id, optional } from "../../decode/fields.ts";
import { invoiceAlreadyPaid, invoiceNotOpen, invoiceWithoutCard } from "../../invoice-problems.ts";
import { mention, mentions } from "../../mentions.ts";
import { parametersExclusive } from "../../parameter-problems.ts";
import { cardDeclined, cardNotLinked } from "../../problems.ts";
import { found } from "../../reads.ts";
import { type Answer, defineRoute, type PublicRequest } from "../../route.ts";
import { invoiceExpandable, showInvoice } from "./show-invoice.ts";

const params = group(
  {
    paid_out_of_band: optional(Type.Boolean()),
    payment_method: optional(id),
    source: optional(id),
    expand,
  },
  {
    "x-ignored": {
      off_session: "No bank of Tripe's asks a cardholder to confirm a payment, whether the customer is there or not.",
    },
  },
);

/**
 * Has an invoice paid: reader.GetInvoice ‖ reader.GetPaymentMethod → (writer.FinalizeInvoice, of a draft) →
 * transactions.CollectInvoice; out of band → writer.PayInvoiceOutOfBand. The charge's identity is the invoice's own, so
 * that two at once charge once; the same request again is answered with its own charge.
 */
export const payInvoiceRoute = defineRoute({
  method: "POST",
  path: "/v1/invoices/:id/pay",
  operationId: "payInvoice",
  answers: "Invoice",
  mayDecline: true,
  needsBank: true,
  summary: "Pay an invoice by card, or note that it was paid elsewhere; a draft is finalized first.",
  params,
  expandable: invoiceExpandable,
  mentions: (given, { payment_method: paymentMethod, source }) =>
    mentions({
      invoice: mention(given, "id"),
      paymentMethod: mention(source, "source") ?? mention(paymentMethod, "payment_method"),
    }),
  async run(request, given) {
    const { payment_method: paymentMethod, source } = given;
    if (source !== undefined && paymentMethod !== undefined) throw parametersExclusive("source", "payment_method");
    const [read, card] = await Promise.all([
      request.reads.invoice(request.id),
      request.reads.paymentMethod(source ?? paymentMethod ?? ""),
    ]);
    const invoice = found(read);
    if (card !== undefined && card.customerId !== invoice.customerId) {
      const param = source === undefined ? "payment_method" : "source";
      throw cardNotLinked({ customerId: invoice.customerId, cardId: card.paymentMethodId, param });
    }
    const finalized = invoice.state === InvoiceState.DRAFT ? await finalize(request) : undefined;
    // Nothing to pay is paid by being finalized.
    if (finalized?.state === InvoiceState.PAID) return { body: await showInvoice(request, finalized) };
    if (given.paid_out_of_band === true) return payOutOfBand(request);
    return collect(request, finalized ?? invoice, card?.paymentMethodId ?? "");
  },
  async replay(request, stored) {
    if (stored.case === "invoice") return { body: await showInvoice(request, stored.value), isReplayed: true };
    const charge = stored.case === "charge" ? stored.value : undefined;
    assert(charge !== undefined, "the stored answer is the charge, or the invoice that was paid out of band");
    const { accountId, clients, id: invoiceId } = request;
    const { invoice } = await clients.reader.getInvoice({ accountId, invoiceId });
    return { body: await bodyOf(request, found(invoice), { charge, isReplayed: true }), isReplayed: true };
  },
});

/** Finalizes a draft, as the action's first write; undefined when somebody else has done so meanwhile. */
async function finalize({ accountId, clients, id: invoiceId, identity }: PublicRequest): Promise<Invoice | undefined> {
  const key = { accountId, requestId: identity.step(1), requestDigest: identity.digest, invoiceId };
  try {
    return found((await clients.writer.finalizeInvoice(key)).invoice);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal?.code === Code.FailedPrecondition && refusal.reason === "INVOICE_NOT_DRAFT") return undefined;
    throw error;
  }
}

async function payOutOfBand(request: PublicRequest): Promise<Answer> {
  const { accountId, clients, id: invoiceId, identity } = request;
  const { invoice, isReplayed } = await clients.writer.payInvoiceOutOfBand({
    accountId,
    requestId: identity.requestId,
    requestDigest: identity.digest,
    invoiceId,
  });
  return { body: await showInvoice(request, found(invoice)), isReplayed };
}

/** Has it charged, unless it is paid or void. */
async function collect(request: PublicRequest, { state }: Invoice, paymentMethodId: string): Promise<Answer> {
  const { accountId, clients, id: invoiceId, identity } = request;
  if (state === InvoiceState.PAID) throw invoiceAlreadyPaid();
  if (state === InvoiceState.VOID) throw invoiceNotOpen(invoiceId);
  const { charge, invoice, isReplayed } = await clients.transactions.collectInvoice({
    accountId,
    requestId: identity.requestId,
    requestDigest: identity.digest,
    invoiceId,
    paymentMethodId,
  });
  return { body: await bodyOf(request, found(invoice), { charge, isReplayed }), isReplayed };
}

interface Collected {
  readonly charge: Charge | undefined;
  readonly isReplayed: boolean;
}

/**
 * A charge that is not settled yet is a 200 with the invoice still open: the resolver ends it. Who was told of a decline is
 * told so again, whatever has paid the invoice since.
 */
async function bodyOf(request: PublicRequest, invoice: Invoice, { charge, isReplayed }: Collected) {
  const isDeclined = charge?.state === ChargeState.FAILED;
  if (invoice.state === InvoiceState.PAID && !(isReplayed && isDeclined)) return showInvoice(request, invoice);
  // Without a charge it was voided by another request meanwhile, or there was no card.
  if (charge === undefined) {
    return invoice.state === InvoiceState.VOID ? invoiceNotOpen(invoice.invoiceId) : invoiceWithoutCard();
  }
  if (!isDeclined) return showInvoice(request, invoice);
  return cardDeclined(charge.decline ?? { reason: "processing_error", responseCode: "" }, charge.chargeId);
}
