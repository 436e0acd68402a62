import { currencies } from "../_runtime/currency.ts";

const byMinimum = Map.groupBy(currencies, ({ minimumMinor }) => minimumMinor);

const MINIMUMS = [...byMinimum]
  .map(
    ([minimumMinor, those]) => `when c.currency_code in (${those.map(({ code }) => `'${code}'`)}) then ${minimumMinor}`,
  )
  .join(" ");

/**
 * Whether a part of the hold `charge c` is less than its currency's charges may be, in SQL. 0 asks for all that is held, and all
 * of it may be taken, whatever it is.
 */
export function isTooSmall(amountMinor: string): string {
  return `${amountMinor} > 0 and ${amountMinor} < c.amount_minor and ${amountMinor} < (case ${MINIMUMS} else 0 end)`;
}
