import { checkAmount } from "./amount.ts";

/** What is left to pay of an invoice, and of its customer's balance: `amount_due` and `ending_balance`. */
export interface AmountDue {
  /** At or above zero. */
  readonly amountDueMinor: bigint;
  /** The customer's balance after the invoice: below zero a credit, above it a debt. */
  readonly endingBalanceMinor: bigint;
}

/**
 * Settles a customer's balance with an invoice at its finalization: a credit (a balance below zero) is used up as far as
 * it goes, a debt is collected along, and a total below zero becomes a credit. What is less than the least that a card
 * can be charged, `minimumMinor`, is not due but becomes a debt for the next invoice, and the invoice counts as paid
 * (docs.stripe.com/billing/customer/balance). What is due and what is left always sum to total and balance.
 * Refuses amounts beyond 2^53 - 1 (AMOUNT_OUT_OF_RANGE).
 */
export function amountDueOf(terms: {
  readonly totalMinor: bigint;
  readonly customerBalanceMinor: bigint;
  /** `minimumMinor` of the currency; 0 for an invoice that is not paid by card. */
  readonly minimumMinor?: bigint;
}): AmountDue {
  const owedMinor = checkAmount(terms.totalMinor + terms.customerBalanceMinor, "what the customer owes");
  const isDue = owedMinor >= (terms.minimumMinor ?? 0n);
  return isDue
    ? { amountDueMinor: owedMinor, endingBalanceMinor: 0n }
    : { amountDueMinor: 0n, endingBalanceMinor: owedMinor };
}
