import type Stripe from "stripe";
import { CollectionMethod, type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { secondsOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** Whether an invoice goes on by itself, as it only does until it is paid, voided or given up. */
export function isAdvancing({ isAutoAdvancing, state }: Invoice): boolean {
  return isAutoAdvancing && (state === InvoiceState.DRAFT || state === InvoiceState.OPEN);
}

/** When a draft is finalized by itself: its next attempt does that first. Null for all others. */
export function finalizeSecondsOf({ nextAttemptTime, state }: Invoice): number | null {
  return state === InvoiceState.DRAFT ? secondsOrNull(nextAttemptTime) : null;
}

/** When a charge for the invoice is tried next, by itself. Null when its customer is mailed instead, and when it has ended. */
export function paymentSecondsOf({ collectionMethod, nextAttemptTime, state }: Invoice): number | null {
  if (collectionMethod !== CollectionMethod.CHARGE_AUTOMATICALLY) return null;
  return state === InvoiceState.DRAFT || state === InvoiceState.OPEN ? secondsOrNull(nextAttemptTime) : null;
}

/** Shows when an invoice came to each of its states; null for those it has not come to. */
export function transitionsView(invoice: Invoice): Wire<Stripe.Invoice.StatusTransitions> {
  return {
    finalized_at: secondsOrNull(invoice.finalizeTime),
    marked_uncollectible_at: secondsOrNull(invoice.uncollectibleTime),
    paid_at: secondsOrNull(invoice.payTime),
    voided_at: secondsOrNull(invoice.voidTime),
  };
}
