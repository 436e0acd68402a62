import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Card } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import type { CalendarDate } from "../../gen/tripe/type/v1/calendar_date_pb.ts";
import type { Money } from "../../gen/tripe/type/v1/money_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { formatMoney } from "../_runtime/money.ts";

const longDay = new Intl.DateTimeFormat("en-US", { timeZone: "UTC", year: "numeric", month: "long", day: "numeric" });

/** Writes the UTC day of a moment, "January 15, 2026"; empty when it has not happened. */
export function dayOf(time: Timestamp | undefined): string {
  return time === undefined ? "" : longDay.format(timestampDate(time));
}

/** Writes a day without a zone: "February 14, 2026". */
export function calendarDay({ year, month, day }: CalendarDate): string {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return longDay.format(date);
}

/** Writes an amount that must be there: "$12.50". */
export function amountOf(amount: Money | undefined): string {
  assert(amount !== undefined, "a charge and a return have an amount");
  return formatMoney(amount);
}

/** Writes a card as its holder knows it, "Visa ending in 4242"; empty when it is not known. */
export function cardOf(card: Card | undefined): string {
  if (card === undefined || card.last4 === "") return "";
  const brand = card.brand === "" || card.brand === "unknown" ? "Card" : card.brand;
  return `${brand.charAt(0).toUpperCase()}${brand.slice(1)} ending in ${card.last4}`;
}

/** Keeps one line of text one line: control characters, line breaks and what turns the direction of writing become spaces. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\u2028\u2029\s]+/gu, " ").trim();
}
