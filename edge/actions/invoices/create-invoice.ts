import type { Static } from "typebox";
import { BillingReason } from "../../../gen/tripe/billing/v1/billing_reason_pb.ts";
import type { GetPayerResponse } from "../../../gen/tripe/reader/v1/reader_service_pb.ts";
import { choice, expand, group, id, metadata, optional, text } from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { metadataOf } from "../../messages.ts";
import { lineOfItem, listPendingItems } from "../../pending-items.ts";
import { cardNotLinked, resourceMissing } from "../../problems.ts";
import { found } from "../../reads.ts";
import { defineRoute, replayOf } from "../../route.ts";
import { checkDaysUntilDue, collectionMethodOf, invoiceWords, readInvoiceWords } from "./invoice-params.ts";
import { readCurrency } from "./item-amount.ts";
import { invoiceExpandable, showInvoice } from "./show-invoice.ts";

const params = group({
  ...invoiceWords,
  currency: optional(text(20)),
  customer: id,
  metadata,
  pending_invoice_items_behavior: optional(choice(["exclude", "include"])),
  expand,
});

type Params = Static<typeof params>;

/** Makes a draft: reader.GetPayer ‖ reader.ListInvoiceItems → writer.CreateInvoice. */
export const createInvoiceRoute = defineRoute({
  method: "POST",
  path: "/v1/invoices",
  operationId: "createInvoice",
  answers: "Invoice",
  summary: "Make a draft, of the customer's pending items if wanted.",
  params,
  expandable: invoiceExpandable,
  mentions: (_, given) =>
    mentions({
      customer: mention(given.customer, "customer"),
      paymentMethod: mention(given.default_payment_method, "default_payment_method"),
    }),
  async run(request, given) {
    const { account, accountId, clients, createId, identity } = request;
    checkDaysUntilDue(collectionMethodOf(given.collection_method), given.days_until_due);
    const asked = given.currency === undefined ? undefined : readCurrency(given.currency).code;
    const { customer: customerId, default_payment_method: paymentMethod } = given;
    const [payer, pending] = await Promise.all([
      clients.reader.getPayer({ accountId, customerId, paymentMethodId: paymentMethod ?? "" }),
      given.pending_invoice_items_behavior === "include" ? listPendingItems(request, customerId) : [],
    ]);
    judge(given, payer);
    // Without a word on it, the invoice is in the currency of what has waited longest.
    const currencyCode = asked ?? pending[0]?.currencyCode ?? account.defaultCurrencyCode;
    const { invoice, isReplayed } = await clients.writer.createInvoice({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      invoice: {
        ...readInvoiceWords(given).invoice,
        invoiceId: createId("in_"),
        customerId,
        currencyCode,
        billingReason: BillingReason.MANUAL,
        metadata: metadataOf(given.metadata),
        lines: pending.filter((item) => item.currencyCode === currencyCode).map(lineOfItem),
      },
    });
    return { body: await showInvoice(request, found(invoice)), isReplayed };
  },
  replay: replayOf("invoice", showInvoice),
});

function judge({ customer: customerId, default_payment_method: cardId }: Params, payer: GetPayerResponse): void {
  const { customer, paymentMethod } = payer;
  if (customer === undefined || customer.deleteTime !== undefined) {
    throw resourceMissing({ noun: "customer", id: customerId, param: "customer" });
  }
  if (cardId === undefined || cardId === null) return;
  const param = "default_payment_method";
  if (paymentMethod === undefined) throw resourceMissing({ noun: "PaymentMethod", id: cardId, param });
  if (paymentMethod.customerId !== customerId) throw cardNotLinked({ customerId, cardId, param });
}
