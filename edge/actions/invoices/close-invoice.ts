import Type from "typebox";
import type { Invoice } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { expand, group, optional } from "../../decode/fields.ts";
import { found } from "../../reads.ts";
import { defineRoute, type PublicRequest } from "../../route.ts";
import { invoiceExpandable, showInvoice } from "./show-invoice.ts";

interface Changed {
  readonly invoice?: Invoice | undefined;
  readonly isReplayed: boolean;
}

/**
 * Gives a draft its number and freezes its money: writer.FinalizeInvoice. One that advances by
 * itself is then collected by the scheduler.
 */
export const finalizeInvoiceRoute = defineRoute({
  method: "POST",
  path: "/v1/invoices/:id/finalize",
  operationId: "finalizeInvoice",
  answers: "Invoice",
  summary: "Finalize a draft: it gets its number, and its money is frozen.",
  params: group({ auto_advance: optional(Type.Boolean()), expand }),
  expandable: invoiceExpandable,
  mentions: (given) => ({ invoice: { id: given, param: "id" } }),
  async run(request, { auto_advance: isAutoAdvancing }) {
    const advance = isAutoAdvancing === undefined ? {} : { isAutoAdvancing };
    return answer(request, await request.clients.writer.finalizeInvoice({ ...keyOf(request), ...advance }));
  },
});

/** Voids an invoice that is owed; it keeps its number: writer.VoidInvoice. */
export const voidInvoiceRoute = defineRoute({
  method: "POST",
  path: "/v1/invoices/:id/void",
  operationId: "voidInvoice",
  answers: "Invoice",
  summary: "Void an invoice that is owed; it keeps its number.",
  params: group({ expand }),
  expandable: invoiceExpandable,
  mentions: (given) => ({ invoice: { id: given, param: "id" } }),
  run: async (request) => answer(request, await request.clients.writer.voidInvoice(keyOf(request))),
});

/** Gives an open invoice up: writer.MarkInvoiceUncollectible. */
export const markUncollectibleRoute = defineRoute({
  method: "POST",
  path: "/v1/invoices/:id/mark_uncollectible",
  operationId: "markInvoiceUncollectible",
  answers: "Invoice",
  summary: "Give an open invoice up; it may still be paid or voided.",
  params: group({ expand }),
  expandable: invoiceExpandable,
  mentions: (given) => ({ invoice: { id: given, param: "id" } }),
  run: async (request) => answer(request, await request.clients.writer.markInvoiceUncollectible(keyOf(request))),
});

/** The invoice in the path and the identity of the write, as every change of an invoice begins. */
function keyOf({ accountId, id: invoiceId, identity }: PublicRequest) {
  return { accountId, requestId: identity.requestId, requestDigest: identity.digest, invoiceId };
}

async function answer(request: PublicRequest, { invoice, isReplayed }: Changed) {
  return { body: await showInvoice(request, found(invoice)), isReplayed };
}
