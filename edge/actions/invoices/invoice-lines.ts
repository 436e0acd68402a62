import type { Invoice, InvoiceLine } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { invoiceLineView } from "../../../services/_views/invoice-line.ts";
import { listView } from "../../../services/_views/list.ts";
import { group, paging } from "../../decode/fields.ts";
import type { Mention } from "../../mentions.ts";
import { cursorMention, type PageRequest, pageRequestOf } from "../../paging.ts";
import { resourceMissing } from "../../problems.ts";
import { found } from "../../reads.ts";
import { defineRoute } from "../../route.ts";

/** Lists an invoice's lines, in their order on paper: reader.GetInvoice, which has them all. */
export const listLinesRoute = defineRoute({
  method: "GET",
  path: "/v1/invoices/:id/lines",
  operationId: "listInvoiceLines",
  answers: "InvoiceLineItem",
  summary: "List an invoice's lines, in their order.",
  params: group(paging),
  expandable: [],
  isList: true,
  mentions: (given) => ({ invoice: { id: given, param: "id" } }),
  async run({ accountId, clients, id: invoiceId }, given) {
    const page = pageRequestOf(given);
    const invoice = found((await clients.reader.getInvoice({ accountId, invoiceId })).invoice);
    const { hasMore, lines } = pageOf(invoice, page, cursorMention(given));
    const data = lines.map((line) => invoiceLineView(line, invoice));
    return { body: listView({ url: `/v1/invoices/${invoiceId}/lines`, data, hasMore }) };
  },
});

/** Cuts a page out of the lines. Throws a Problem on a cursor that is none of them. */
function pageOf(
  { lines }: Invoice,
  page: PageRequest,
  cursor: Mention | undefined,
): { lines: InvoiceLine[]; hasMore: boolean } {
  const at = lines.findIndex(({ invoiceLineId }) => invoiceLineId === page.pageToken);
  if (at === -1 && cursor !== undefined && cursor.id !== "")
    throw resourceMissing({ noun: "invoice line item", ...cursor });
  if (page.isBackward) {
    const end = at === -1 ? lines.length : at;
    const start = Math.max(0, end - page.pageSize);
    return { lines: lines.slice(start, end), hasMore: start > 0 };
  }
  const end = at + 1 + page.pageSize;
  return { lines: lines.slice(at + 1, end), hasMore: end < lines.length };
}
