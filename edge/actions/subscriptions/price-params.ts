import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Static } from "typebox";
import { IntervalUnit, type PriceSchema, type RecurrenceSchema } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { INTERVAL_COUNT_MAX } from "../../../services/_billing/interval.ts";
import { CHARGE_MAX_MINOR } from "../../../services/_runtime/charge-bounds.ts";
import { findCurrency } from "../../../services/_runtime/currency.ts";
import { choice, formed, group, integer, optional, text } from "../../decode/fields.ts";
import { bracketed } from "../../decode/tree.ts";
import { integerOutOfRange, parameterMissing, parametersExclusive } from "../../parameter-problems.ts";
import { currencyInvalid } from "../../problems.ts";
import { decimalNotWhole } from "../../subscription-problems.ts";
import { checkStep } from "../charges/amount.ts";

// As for a charge (docs.stripe.com/api/prices/create): a price that nobody could be charged is none.
const UNIT_AMOUNT_MAX = Number(CHARGE_MAX_MINOR);

/** How often a price repeats. */
export const recurring = group({
  interval: choice(["day", "week", "month", "year"]),
  interval_count: optional(integer({ minimum: 1 })),
  trial_period_days: optional(integer({ minimum: 0, maximum: 730 })),
  usage_type: optional(choice(["licensed"])),
});

/** What a price costs, and how often; the same where a price is made by itself and where it comes with another object. */
export const priceTerms = {
  currency: text(20),
  unit_amount: optional(integer({ minimum: 0, maximum: UNIT_AMOUNT_MAX })),
  unit_amount_decimal: optional(formed(32, "^-?\\d+(\\.\\d+)?$", "a decimal number")),
  tax_behavior: optional(choice(["unspecified"])),
};

interface PriceTerms {
  readonly currency: string;
  readonly unit_amount?: number;
  readonly unit_amount_decimal?: string;
  readonly recurring?: Static<typeof recurring>;
}

/** The part of a price that `priceTerms` and `recurring` say. */
export type PriceInit = MessageInitShape<typeof PriceSchema>;

/** Makes public terms into a price's; `path` is where they stood, for words about them. Throws a Problem. */
export function readPriceTerms(terms: PriceTerms, path = ""): PriceInit {
  const currency = findCurrency(terms.currency.toUpperCase());
  if (currency === undefined) throw currencyInvalid(terms.currency);
  const repeats = terms.recurring;
  const amountMinor = readUnitAmount(terms, path);
  checkStep(
    amountMinor,
    currency.code,
    bracketed(path, terms.unit_amount === undefined ? "unit_amount_decimal" : "unit_amount"),
  );
  return {
    unitAmount: { amountMinor, currencyCode: currency.code },
    ...(repeats === undefined
      ? {}
      : { recurrence: recurrenceOf(repeats, path), trialPeriodDays: repeats.trial_period_days ?? 0 }),
  };
}

function readUnitAmount({ unit_amount: whole, unit_amount_decimal: decimal }: PriceTerms, path: string): bigint {
  const param = bracketed(path, "unit_amount");
  const decimalParam = bracketed(path, "unit_amount_decimal");
  if (whole !== undefined && decimal !== undefined) throw parametersExclusive(param, decimalParam);
  if (whole !== undefined) return BigInt(whole);
  if (decimal === undefined) throw parameterMissing(param);
  const [integral = "", fraction = ""] = decimal.split(".");
  if (/[1-9]/.test(fraction)) throw decimalNotWhole(decimalParam);
  const amountMinor = BigInt(integral);
  if (amountMinor < 0n) throw integerOutOfRange(decimalParam, { minimum: 0 });
  if (amountMinor > UNIT_AMOUNT_MAX) throw integerOutOfRange(decimalParam, { maximum: UNIT_AMOUNT_MAX });
  return amountMinor;
}

function recurrenceOf(
  { interval, interval_count: count = 1 }: Static<typeof recurring>,
  path: string,
): MessageInitShape<typeof RecurrenceSchema> {
  const maximum = INTERVAL_COUNT_MAX[interval];
  if (count > maximum) {
    throw integerOutOfRange(bracketed(bracketed(path, "recurring"), "interval_count"), { maximum });
  }
  return { unit: intervalUnits[interval], count };
}

const intervalUnits = {
  day: IntervalUnit.DAY,
  week: IntervalUnit.WEEK,
  month: IntervalUnit.MONTH,
  year: IntervalUnit.YEAR,
} as const;
