import type { InvoicePayment } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { invoicePaymentView } from "../../../services/_views/invoice-payment.ts";
import { listView } from "../../../services/_views/list.ts";
import { created, group, id, optional, paging } from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { cursorMention, pageRequestOf } from "../../paging.ts";
import { defineRoute, type PublicRequest } from "../../route.ts";

/** Lists payments of invoices: reader.ListInvoicePayments ‖ reader.GetInvoice. */
export const listInvoicePaymentsRoute = defineRoute({
  method: "GET",
  path: "/v1/invoice_payments",
  operationId: "listInvoicePayments",
  answers: "InvoicePayment",
  summary: "List payments of invoices, newest first.",
  params: group({ invoice: optional(id), created, ...paging }),
  expandable: ["invoice", "payment.charge"],
  isList: true,
  mentions: (_, given) =>
    mentions({ invoice: mention(given.invoice, "invoice"), invoicePayment: cursorMention(given) }),
  async run(request, given) {
    const { accountId, clients, reads } = request;
    const { invoice: invoiceId = "" } = given;
    // The invoice is read beside: no payments and no such invoice are different answers.
    const [page] = await Promise.all([
      clients.reader.listInvoicePayments({ accountId, invoiceId, ...pageRequestOf(given) }),
      reads.invoice(invoiceId),
    ]);
    const data = await Promise.all(page.invoicePayments.map((payment) => showPayment(request, payment)));
    return { body: listView({ url: "/v1/invoice_payments", data, hasMore: page.nextPageToken !== "" }) };
  },
});

async function showPayment({ expand, reads }: PublicRequest, payment: InvoicePayment) {
  const [invoice, charge] = await Promise.all([
    expand.has("invoice") ? reads.invoice(payment.invoiceId) : undefined,
    expand.has("payment.charge") ? reads.charge(payment.chargeId) : undefined,
  ]);
  return invoicePaymentView(payment, { invoice, "payment.charge": charge });
}
