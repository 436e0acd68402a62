import { formatMoney } from "../_runtime/money.ts";
import type { Interval } from "./interval.ts";

/** What a line of a subscription's invoice bills for one period. */
export interface PeriodTerms {
  readonly quantity: bigint;
  readonly productName: string;
  /** Of one unit, for one period. */
  readonly unitAmount: { readonly amountMinor: bigint; readonly currencyCode: string };
  readonly interval: Interval;
}

/**
 * The words of such a line, on a first invoice and on every later one. They are Stripe's: "2 × Gold (at $10.00 / month)",
 * "1 × Gold (at $10.00 / every 3 months)" (`description` in docs.stripe.com/api/invoice-line-item/object).
 */
export function describePeriod({ quantity, productName, unitAmount, interval: { unit, count } }: PeriodTerms): string {
  const every = count === 1 ? unit : `every ${count} ${unit}s`;
  return `${quantity} × ${productName} (at ${formatMoney(unitAmount)} / ${every})`;
}
