import { Code } from "@connectrpc/connect";
import type { Invoice } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { findCurrency } from "../_runtime/currency.ts";
import { refuse } from "../_runtime/errors.ts";

/** What is still owed, in minor units: as the invoice says, else its total less what was paid. */
export function amountDueMinor({ amountDue, totalMinor, paidMinor }: Invoice): bigint {
  return amountDue === undefined ? totalMinor - paidMinor : amountDue.amountMinor;
}

/** What the taxes come to, in minor units. */
export function taxMinor({ taxes }: Invoice): bigint {
  return taxes.reduce((sum, tax) => sum + tax.amountMinor, 0n);
}

/**
 * Refuses an invoice nobody should ever be shown: in a currency Tripe does not know (CURRENCY_UNKNOWN), with an amount
 * due in another currency than its own (CURRENCY_MIXED), or whose sums are wrong (INVOICE_SUMS_WRONG).
 */
export function checkAmounts(invoice: Invoice): void {
  const { currencyCode, amountDue, lines, subtotalMinor, discountMinor, totalMinor } = invoice;
  if (findCurrency(currencyCode) === undefined) {
    refuseInvoice("CURRENCY_UNKNOWN", `Tripe does not charge in "${currencyCode}"`, "invoice.currency_code");
  }
  if (amountDue !== undefined && amountDue.currencyCode !== currencyCode) {
    refuseInvoice("CURRENCY_MIXED", "the amount due is in another currency", "invoice.amount_due.currency_code");
  }
  if (lines.reduce((sum, line) => sum + line.amountMinor, 0n) !== subtotalMinor) {
    refuseInvoice("INVOICE_SUMS_WRONG", "the lines do not add up to the subtotal", "invoice.subtotal_minor");
  }
  if (subtotalMinor - discountMinor + taxMinor(invoice) !== totalMinor) {
    refuseInvoice("INVOICE_SUMS_WRONG", "subtotal, discounts and taxes do not give the total", "invoice.total_minor");
  }
}

function refuseInvoice(reason: string, message: string, field: string): never {
  refuse(Code.InvalidArgument, reason, message, field);
}
