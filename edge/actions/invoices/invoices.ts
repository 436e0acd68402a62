import { CollectionMethod, InvoiceState } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { deletedView } from "../../../services/_views/deleted.ts";
import { listView } from "../../../services/_views/list.ts";
import { choice, created, expand, group, id, optional, paging } from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { cursorMention, pageRequestOf } from "../../paging.ts";
import { found } from "../../reads.ts";
import { defineRoute } from "../../route.ts";
import { finalizeInvoiceRoute, markUncollectibleRoute, voidInvoiceRoute } from "./close-invoice.ts";
import { createInvoiceRoute } from "./create-invoice.ts";
import { invoiceItemRoutes } from "./invoice-items.ts";
import { listLinesRoute } from "./invoice-lines.ts";
import { collectionMethod, collectionMethodOf } from "./invoice-params.ts";
import { listInvoicePaymentsRoute } from "./invoice-payments.ts";
import { payInvoiceRoute } from "./pay-invoice.ts";
import { printInvoice } from "./print-invoice.ts";
import { sendInvoiceRoute } from "./send-invoice.ts";
import { invoiceExpandable, listPayments, showInvoice } from "./show-invoice.ts";
import { updateInvoiceRoute } from "./update-invoice.ts";

const retrieveRoute = defineRoute({
  method: "GET",
  path: "/v1/invoices/:id",
  operationId: "retrieveInvoice",
  answers: "Invoice",
  summary: "Retrieve an invoice.",
  params: group({ expand }),
  expandable: invoiceExpandable,
  mentions: (given) => ({ invoice: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients, id: invoiceId } = request;
    // Its payments are found by the id in the path, so they need not wait for the invoice.
    const [{ invoice }, payments] = await Promise.all([
      clients.reader.getInvoice({ accountId, invoiceId }),
      request.expand.has("payments") ? listPayments(request, invoiceId) : undefined,
    ]);
    return { body: await showInvoice(request, found(invoice), payments) };
  },
});

const pdfRoute = defineRoute({
  method: "GET",
  path: "/v1/invoices/:id/pdf",
  operationId: "downloadInvoicePdf",
  answers: "pdf",
  summary: "An invoice in print, as `invoice_pdf` links to without a key.",
  params: group({}),
  expandable: [],
  mentions: (given) => ({ invoice: { id: given, param: "id" } }),
  run: ({ accountId, clients, id: invoiceId }) => printInvoice(clients, { accountId, invoiceId }),
});

const deleteRoute = defineRoute({
  method: "DELETE",
  path: "/v1/invoices/:id",
  operationId: "deleteInvoice",
  answers: "DeletedInvoice",
  summary: "Delete a draft that no subscription made; its items are pending again.",
  params: group({}),
  expandable: [],
  mentions: (given) => ({ invoice: { id: given, param: "id" } }),
  async run({ accountId, clients, id: invoiceId, identity }) {
    const { requestId, digest: requestDigest } = identity;
    const { isReplayed } = await clients.writer.deleteInvoice({ accountId, requestId, requestDigest, invoiceId });
    return { body: deletedView(invoiceId, "invoice"), isReplayed };
  },
});

const states = {
  draft: InvoiceState.DRAFT,
  open: InvoiceState.OPEN,
  paid: InvoiceState.PAID,
  uncollectible: InvoiceState.UNCOLLECTIBLE,
  void: InvoiceState.VOID,
};

const listRoute = defineRoute({
  method: "GET",
  path: "/v1/invoices",
  operationId: "listInvoices",
  answers: "Invoice",
  summary: "List invoices, newest first.",
  params: group({
    collection_method: optional(collectionMethod),
    created,
    customer: optional(id),
    status: optional(choice(["draft", "open", "paid", "uncollectible", "void"])),
    subscription: optional(id),
    ...paging,
  }),
  expandable: invoiceExpandable,
  isList: true,
  mentions: (_, given) =>
    mentions({
      customer: mention(given.customer, "customer"),
      invoice: cursorMention(given),
      subscription: mention(given.subscription, "subscription"),
    }),
  async run(request, given) {
    const { accountId, clients, reads } = request;
    const { collection_method: method, customer: customerId = "", status, subscription: subscriptionId = "" } = given;
    const [page] = await Promise.all([
      clients.reader.listInvoices({
        accountId,
        customerId,
        subscriptionId,
        state: status === undefined ? InvoiceState.UNSPECIFIED : states[status],
        collectionMethod: method === undefined ? CollectionMethod.UNSPECIFIED : collectionMethodOf(method),
        ...pageRequestOf(given),
      }),
      reads.customer(customerId),
      reads.subscription(subscriptionId),
    ]);
    const data = await Promise.all(page.invoices.map((invoice) => showInvoice(request, invoice)));
    return { body: listView({ url: "/v1/invoices", data, hasMore: page.nextPageToken !== "" }) };
  },
});

/** The routes of invoices, their items, lines and payments. */
export const invoiceRoutes = [
  createInvoiceRoute,
  retrieveRoute,
  updateInvoiceRoute,
  deleteRoute,
  listRoute,
  finalizeInvoiceRoute,
  payInvoiceRoute,
  sendInvoiceRoute,
  voidInvoiceRoute,
  markUncollectibleRoute,
  listLinesRoute,
  pdfRoute,
  ...invoiceItemRoutes,
  listInvoicePaymentsRoute,
];
