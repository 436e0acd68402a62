import type Stripe from "stripe";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { type Invoice, type InvoicePayment, InvoicePaymentState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { chargeView } from "./charge.ts";
import { expandableOf } from "./expandable.ts";
import { invoiceView } from "./invoice.ts";
import { amountOf, currencyOf, secondsOf, secondsOrNull, wordOf } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What of an invoice's payment was asked to be shown whole. */
export interface InvoicePaymentExpansions {
  readonly invoice?: Invoice | undefined;
  readonly "payment.charge"?: Charge | undefined;
}

/**
 * Shows a payment of an invoice: by a charge, or, when it was made out of band, by a payment record that has no id. Each
 * is for all that was owed, so each is the default one. When one was canceled is not known.
 */
export function invoicePaymentView(
  payment: InvoicePayment,
  expansions: InvoicePaymentExpansions = {},
): Wire<Stripe.InvoicePayment> {
  const { amount, chargeId, state } = payment;
  assert(amount !== undefined, "a payment has an amount");
  return {
    id: payment.invoicePaymentId,
    object: "invoice_payment",
    amount_paid: state === InvoicePaymentState.PAID ? amountOf(amount.amountMinor) : null,
    amount_requested: amountOf(amount.amountMinor),
    created: secondsOf(payment.createTime),
    currency: currencyOf(amount.currencyCode),
    invoice: expandableOf(payment.invoiceId, expansions.invoice, invoiceView),
    is_default: true,
    livemode: payment.isLive,
    payment:
      chargeId === ""
        ? { type: "payment_record" }
        : { charge: expandableOf(chargeId, expansions["payment.charge"], chargeView), type: "charge" },
    status: wordOf(statuses, state),
    status_transitions: { canceled_at: null, paid_at: secondsOrNull(payment.payTime) },
  };
}

const statuses = {
  [InvoicePaymentState.OPEN]: "open",
  [InvoicePaymentState.PAID]: "paid",
  [InvoicePaymentState.CANCELED]: "canceled",
} as const;
