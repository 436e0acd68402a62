import { CollectionMethod } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { expand, group, metadata } from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { metadataPatchOf } from "../../messages.ts";
import { cardNotLinked } from "../../problems.ts";
import { found } from "../../reads.ts";
import { defineRoute, type PublicRequest, replayOf } from "../../route.ts";
import {
  checkDaysUntilDue,
  collectionMethodOf,
  type InvoiceWords,
  invoiceWords,
  readInvoiceWords,
} from "./invoice-params.ts";
import { invoiceExpandable, showInvoice } from "./show-invoice.ts";

/**
 * Changes a draft, or what may still change of others: reader.GetInvoice ‖ reader.GetPaymentMethod, where the words must
 * fit them → writer.UpdateInvoice.
 */
export const updateInvoiceRoute = defineRoute({
  method: "POST",
  path: "/v1/invoices/:id",
  operationId: "updateInvoice",
  answers: "Invoice",
  summary: "Change a draft, or the metadata of any invoice; empty values unset.",
  params: group({ ...invoiceWords, metadata, expand }),
  expandable: invoiceExpandable,
  mentions: (given, { default_payment_method: paymentMethod }) =>
    mentions({ invoice: mention(given, "id"), paymentMethod: mention(paymentMethod, "default_payment_method") }),
  async run(request, given) {
    const { account, accountId, clients, identity, id: invoiceId } = request;
    await judge(request, given);
    const { invoice: words, paths } = readInvoiceWords(given);
    const metadataPatch = metadataPatchOf(given.metadata);
    const { invoice, isReplayed } = await clients.writer.updateInvoice({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      // An invoice without a currency is none; which one does not matter here, since the mask does not name it.
      invoice: { ...words, invoiceId, currencyCode: account.defaultCurrencyCode },
      // An invoice that is charged at once is not due on any day.
      updateMask: {
        paths: given.collection_method === "charge_automatically" ? [...new Set([...paths, "days_until_due"])] : paths,
      },
      ...(metadataPatch === undefined ? {} : { metadataPatch }),
    });
    return { body: await showInvoice(request, found(invoice)), isReplayed };
  },
  replay: replayOf("invoice", showInvoice),
});

/** Throws a Problem on words that do not fit the invoice they change. */
async function judge({ id, reads }: PublicRequest, given: InvoiceWords): Promise<void> {
  const { collection_method: method, days_until_due: days, default_payment_method: cardId } = given;
  if (method === undefined && days === undefined && !cardId) return;
  const [read, paymentMethod] = await Promise.all([reads.invoice(id), reads.paymentMethod(cardId ?? "")]);
  const { collectionMethod, customerId, daysUntilDue } = found(read);
  if (method !== undefined || days !== undefined) {
    const next = method === undefined ? collectionMethod : collectionMethodOf(method);
    const kept =
      collectionMethod === CollectionMethod.SEND_INVOICE && next === collectionMethod ? daysUntilDue : undefined;
    checkDaysUntilDue(next, days ?? kept);
  }
  if (paymentMethod !== undefined && paymentMethod.customerId !== customerId) {
    throw cardNotLinked({ customerId, cardId: paymentMethod.paymentMethodId, param: "default_payment_method" });
  }
}
