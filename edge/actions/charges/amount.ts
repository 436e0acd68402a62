import type { Money } from "../../../gen/tripe/type/v1/money_pb.ts";
import { CHARGE_MAX_MINOR } from "../../../services/_runtime/charge-bounds.ts";
import { findCurrency } from "../../../services/_runtime/currency.ts";
import { money } from "../../../services/_runtime/money.ts";
import { amountTooLarge, amountTooSmall, amountUneven, currencyInvalid } from "../../problems.ts";

/** Throws a Problem on an amount with parts that its currency does not have; 0 has none. */
export function checkStep(amount: bigint | number, currencyCode: string, param?: string): void {
  const { stepMinor = 1n } = findCurrency(currencyCode) ?? {};
  if (BigInt(amount) % stepMinor !== 0n) throw amountUneven(currencyCode, param);
}

/** Makes an amount of the public parameters; throws a Problem on another currency, too little, too much, or parts it does not have. */
export function readAmount({ amount, currency }: { amount: number; currency: string }): Money {
  const found = findCurrency(currency.toUpperCase());
  if (found === undefined) throw currencyInvalid(currency);
  const amountMinor = BigInt(amount);
  if (amountMinor < found.minimumMinor) throw amountTooSmall(found.minimumMinor, found.code);
  if (amountMinor > CHARGE_MAX_MINOR) throw amountTooLarge(CHARGE_MAX_MINOR, found.code);
  checkStep(amountMinor, found.code);
  return money(amountMinor, found.code);
}
