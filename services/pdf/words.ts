import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Address } from "../../gen/tripe/billing/v1/address_pb.ts";
import type { CalendarDate } from "../../gen/tripe/type/v1/calendar_date_pb.ts";
import { RIGHT_TO_LEFT } from "./scripts.ts";

const longDay = new Intl.DateTimeFormat("en-US", { timeZone: "UTC", year: "numeric", month: "long", day: "numeric" });
const shortDay = new Intl.DateTimeFormat("en-US", { timeZone: "UTC", year: "numeric", month: "short", day: "numeric" });
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const regions = new Intl.DisplayNames(["en"], { type: "region" });

/** Writes the UTC day of a moment: "January 15, 2026". */
export function dayOf(time: Timestamp): string {
  return longDay.format(timestampDate(time));
}

/** Writes a day without a zone: "January 15, 2026". */
export function calendarDay({ year, month, day }: CalendarDate): string {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return longDay.format(date);
}

/** Writes what a line covers: "Jan 1, 2026 – Feb 1, 2026"; empty when the line is a one-off, which is of a single day. */
export function period(start: Timestamp | undefined, end: Timestamp | undefined): string {
  if (start === undefined || end === undefined) return "";
  const [from, to] = [start, end].map((time) => shortDay.format(timestampDate(time)));
  return from === to ? "" : `${from} – ${to}`;
}

/** Writes a number of units: "12,500". */
export function count(quantity: bigint): string {
  return whole.format(quantity);
}

/** Writes an address as an envelope has it: one entry a line, empty parts left out, the country in English. */
export function addressLines(address: Address | undefined): readonly string[] {
  if (address === undefined) return [];
  const { line1, line2, countryCode } = address;
  const place = places[countryCode] ?? postalCodeFirst;
  return [line1, line2, ...place(address), country(countryCode)].filter(Boolean);
}

type Place = (address: Address) => readonly string[];

const join = (separator: string, ...parts: readonly string[]) => parts.filter(Boolean).join(separator);

const postalCodeFirst: Place = ({ postalCode, city, state }) => [join(", ", join(" ", postalCode, city), state)];
const postalCodeLast: Place = ({ city, state, postalCode }) => [join(" ", city, state, postalCode)];
const postalCodeApart: Place = ({ city, state, postalCode }) => [join(", ", city, state), postalCode];

// Where the post wants another order than most of the world's (the Universal Postal Union's addressing systems by country).
const places: Readonly<Record<string, Place>> = {
  US: ({ city, state, postalCode }) => [join(", ", city, join(" ", state, postalCode))],
  AU: postalCodeLast,
  CA: postalCodeLast,
  NZ: postalCodeLast,
  SG: postalCodeLast,
  GB: postalCodeApart,
  IE: postalCodeApart,
};

/** Takes out what no printer shows: control characters become spaces; line breaks stay, and the mark of a laid out line. */
export function printable(text: string): string {
  const mark = text.startsWith(RIGHT_TO_LEFT) ? RIGHT_TO_LEFT : "";
  return (
    mark +
    text
      .slice(mark.length)
      .replaceAll(/\r\n?|[\u2028\u2029]/g, "\n")
      .replaceAll(/[^\P{C}\n]/gu, " ")
  );
}

function country(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (regions.of(code) ?? code) : code;
}
