import { excerpt, invalid, type Problem, type PublicError } from "./problem.ts";

// Public words about invoices and their items; those about everything else are in problems.ts. Words and codes are
// Stripe's where it publishes them.

/** An invoice that is paid. */
export function invoiceAlreadyPaid(): Problem {
  return invalid({ message: "Invoice is already paid" });
}

/** An invoice that cannot be paid, voided or given up, since it is not owed. */
export function invoiceNotOpen(invoiceId: string): Problem {
  const message = `This invoice (${excerpt(invoiceId)}) is not open: only an invoice that is owed can be paid, voided or marked uncollectible.`;
  return invalid({ message });
}

/** An invoice that nothing can be charged for: nobody named a payment method, and there is no default. */
export function invoiceWithoutCard(): Problem {
  const message =
    "There is no `default_payment_method` set on this Customer or Invoice. Please try again after setting a default " +
    "payment method.";
  return invalid({ message });
}

/** An invoice that has nobody to be mailed to. */
export function invoiceWithoutEmail(): Problem {
  const message =
    "This invoice cannot be sent, since its customer has no email address, or one that cannot be mailed to. Set one before it is finalized.";
  return invalid({ code: "missing", message });
}

/** Words of services' refusals about invoices, by reason. */
export const invoiceWords: Readonly<Record<string, Omit<PublicError, "type">>> = {
  INVOICE_NOT_DRAFT: { message: "This invoice is already finalized, you can't re-finalize a non-draft invoice." },
  INVOICE_NOT_EDITABLE: {
    code: "invoice_not_editable",
    message: "This invoice can no longer be changed: only a draft is edited or deleted.",
  },
  INVOICE_NOT_FINALIZED: { message: "This invoice is a draft, or void: finalize it first." },
  INVOICE_PAYMENT_PENDING: {
    message: "A payment of the invoice is under way. Try again when its charge has succeeded or failed.",
  },
  INVOICE_OF_OTHER_CURRENCY: {
    message: "The currency of the invoice item is not the currency of the invoice.",
    param: "currency",
  },
  INVOICE_OF_OTHER_CUSTOMER: { message: "The invoice belongs to another customer.", param: "invoice" },
  INVOICE_TOTAL_NEGATIVE: {
    message:
      "The total of this invoice is below zero, and there is no customer balance that could keep the credit. Add charges " +
      "or take credits off before it is finalized.",
  },
  INVOICE_TOTAL_TOO_LARGE: {
    code: "amount_too_large",
    message:
      "The total of this invoice is above 99,999,999, the most that can be charged. Take charges off before it is finalized.",
  },
  INVOICE_TOTAL_TOO_SMALL: {
    code: "amount_too_small",
    message:
      "The total of this invoice is below the least that can be charged in its currency. Add charges, or set " +
      "collection_method=send_invoice, before it is finalized.",
  },
  INVOICE_TOO_LARGE: { message: "This invoice is too large to be printed." },
};

/** Days until an invoice is due, which only mailed invoices have, and must have. */
export function daysUntilDueMisplaced(isMailed: boolean): Problem {
  const param = "days_until_due";
  if (isMailed) {
    return invalid({
      code: "parameter_missing",
      param,
      message: `Missing required param: ${param}, which an invoice with collection_method=send_invoice needs.`,
    });
  }
  return invalid({ param, message: `You can only set ${param} if the collection_method is send_invoice.` });
}

/** A price that cannot be on an item: it repeats, or it is not sold any more. */
export function priceUnusable(priceId: string, why: "inactive" | "recurring"): Problem {
  const words =
    why === "inactive"
      ? "is inactive. This field only accepts active prices."
      : "is set to `type=recurring` but this field only accepts prices with `type=one_time`.";
  return invalid({ param: "pricing[price]", message: `The price specified (${excerpt(priceId)}) ${words}` });
}

/** An item of which nobody can say what it costs. */
export function itemWithoutAmount(): Problem {
  const message = "You must specify one of `amount`, `pricing[price]` or `unit_amount_decimal`.";
  return invalid({ code: "parameter_missing", param: "amount", message });
}
