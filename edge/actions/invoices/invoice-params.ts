import type { Static } from "typebox";
import Type from "typebox";
import { CollectionMethod } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { choice, clearable, group, id, integer, optional, text } from "../../decode/fields.ts";
import { daysUntilDueMisplaced } from "../../invoice-problems.ts";
import { textOf } from "../../messages.ts";

/** How an invoice is paid, in public words. */
export const collectionMethod = choice(["charge_automatically", "send_invoice"]);

/** What may be said of an invoice when it is made and while it is a draft. */
export const invoiceWords = {
  auto_advance: optional(Type.Boolean()),
  collection_method: optional(collectionMethod),
  // Stripe publishes no bound; two years, as subscriptions' trials have and the contract holds.
  days_until_due: optional(integer({ minimum: 0, maximum: 730 })),
  default_payment_method: clearable(id),
  description: clearable(text(5_000)),
  footer: clearable(text(5_000)),
};

const words = group(invoiceWords);

/** What was said of an invoice. */
export type InvoiceWords = Static<typeof words>;

/** The internal word for how an invoice is paid; without one, by the customer's card. */
export function collectionMethodOf(word: InvoiceWords["collection_method"]): CollectionMethod {
  return word === "send_invoice" ? CollectionMethod.SEND_INVOICE : CollectionMethod.CHARGE_AUTOMATICALLY;
}

/** Makes what was said of an invoice into the message's fields, and names those that were said for an update mask. */
export function readInvoiceWords(given: InvoiceWords) {
  return {
    invoice: {
      isAutoAdvancing: given.auto_advance ?? false,
      collectionMethod: collectionMethodOf(given.collection_method),
      daysUntilDue: given.days_until_due ?? 0,
      defaultPaymentMethodId: textOf(given.default_payment_method),
      description: textOf(given.description),
      footer: textOf(given.footer),
    },
    paths: Object.entries(paths).flatMap(([name, path]) => (Object.hasOwn(given, name) ? [path] : [])),
  };
}

// Public and internal names are the same but for two.
const paths = {
  auto_advance: "is_auto_advancing",
  collection_method: "collection_method",
  days_until_due: "days_until_due",
  default_payment_method: "default_payment_method_id",
  description: "description",
  footer: "footer",
};

/** Throws a Problem when days until an invoice is due are given for one that is charged, or not for one that is mailed. */
export function checkDaysUntilDue(method: CollectionMethod, days: number | undefined): void {
  const isMailed = method === CollectionMethod.SEND_INVOICE;
  if (isMailed !== (days !== undefined)) throw daysUntilDueMisplaced(isMailed);
}
