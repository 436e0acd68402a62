import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type Money, MoneySchema } from "../../gen/tripe/type/v1/money_pb.ts";
import { type Currency, findCurrency } from "./currency.ts";
import { refuse } from "./errors.ts";

/** The largest amount anywhere: 2^53 - 1, the last whole number that JSON carries unharmed. */
export const AMOUNT_MAX_MINOR = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Makes an amount of a currency. Refuses with INVALID_ARGUMENT an amount that is not from 1 to 2^53 - 1
 * (AMOUNT_OUT_OF_RANGE) and a currency Tripe does not charge in (CURRENCY_UNKNOWN).
 */
export function money(amountMinor: bigint, currencyCode: string): Money {
  if (amountMinor < 1n || amountMinor > AMOUNT_MAX_MINOR) {
    refuse(Code.InvalidArgument, "AMOUNT_OUT_OF_RANGE", `an amount must be 1 to ${AMOUNT_MAX_MINOR}`, "amount_minor");
  }
  return create(MoneySchema, { amountMinor, currencyCode: currencyOf(currencyCode).code });
}

/** Writes an amount for people, in English: "$12.50", "¥1,250"; with display "code" in plain letters: "USD 12.50". */
export function formatMoney(
  { amountMinor, currencyCode }: Pick<Money, "amountMinor" | "currencyCode">,
  display: "symbol" | "code" = "symbol",
): string {
  const { code, exponent } = currencyOf(currencyCode);
  const format = new Intl.NumberFormat("en-US", {
    style: "currency",
    currency: code,
    currencyDisplay: display,
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  });
  // Given as text in exponent notation, so that no amount passes through a floating-point number.
  return format.format(`${amountMinor}e-${exponent}` as `${number}`).replaceAll("\u00a0", " ");
}

function currencyOf(code: string): Currency {
  const currency = findCurrency(code);
  if (currency === undefined) {
    refuse(Code.InvalidArgument, "CURRENCY_UNKNOWN", `Tripe does not charge in "${code}"`, "currency_code");
  }
  return currency;
}
