import type { Money } from "../../../gen/tripe/type/v1/money_pb.ts";
import { findCurrency } from "../../../services/_runtime/currency.ts";
import { money } from "../../../services/_runtime/money.ts";
import { amountTooLarge, amountTooSmall, currencyInvalid } from "../../problems.ts";

// Eight digits: Stripe's limit (docs.stripe.com/api/charges/create), kept because programs know its error.
const AMOUNT_MAX_MINOR = 99_999_999n;

/** Makes an amount of the public parameters; throws a Problem on another currency, too little or too much. */
export function readAmount({ amount, currency }: { amount: number; currency: string }): Money {
  const found = findCurrency(currency.toUpperCase());
  if (found === undefined) throw currencyInvalid(currency);
  const amountMinor = BigInt(amount);
  if (amountMinor < found.minimumMinor) throw amountTooSmall(found.minimumMinor, found.code);
  if (amountMinor > AMOUNT_MAX_MINOR) throw amountTooLarge(AMOUNT_MAX_MINOR, found.code);
  return money(amountMinor, found.code);
}
