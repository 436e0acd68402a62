/** What a bank can be asked to do with money. */
export type OperationKind = "authorize" | "purchase" | "capture" | "reverse" | "refund";

/** Message type and processing code (element 3) of each operation: ISO 8583:1987, with 00 for goods and services and 20 for a refund. */
export const OPERATIONS: Readonly<Record<OperationKind, { type: string; processingCode: string }>> = {
  authorize: { type: "0100", processingCode: "000000" },
  purchase: { type: "0200", processingCode: "000000" },
  capture: { type: "0220", processingCode: "000000" },
  reverse: { type: "0400", processingCode: "000000" },
  refund: { type: "0200", processingCode: "200000" },
};

/**
 * An inquiry about a bank reference. The standard has no message for it; its class 6, administrative, is what banks use
 * (j8583 lists 0600 and 0610 as "data inquiry"). The answer's element 39 says whether the reference is known (00) or not (25, "unable to
 * locate record"); what became of it stands in the private element 48.
 */
export const INQUIRY_TYPE = "0600";

/** The response code of an inquiry about a reference the bank has never heard of. */
export const NOT_KNOWN_CODE = "25";

/** Network management, by element 70: sign on 001, sign off 002, echo 301. */
export const NETWORK_TYPE = "0800";

/** Values of element 70. */
export const NETWORK = { signOn: "001", signOff: "002", echo: "301" } as const;

/** A card not present, its number keyed or on file: 01 manual entry, 0 no PIN. */
export const ENTRY_MODE = "010";

/** Ordered on the internet, now or when the card was saved: 59, electronic commerce. */
export const CONDITION_CODE = "59";

/** The type of a repeat of this request: one more, as 0200 and 0201. */
export function repeatOf(type: string): string {
  return type.slice(0, 3) + String(Number(type.slice(3)) | 1);
}

/** The type of the first of this request, as 0200 for 0201. */
export function firstOf(type: string): string {
  return type.slice(0, 3) + String(Number(type.slice(3)) & ~1);
}

/** The type that answers this request or its repeat, as 0210 for 0200 and 0201; undefined when it is no request. */
export function responseTypeOf(type: string): string | undefined {
  const functionDigit = Number(type.slice(2, 3));
  if (functionDigit % 2 !== 0) return undefined;
  return type.slice(0, 2) + String(functionDigit + 1) + firstOf(type).slice(3);
}

/** The message that another one captures, takes back, gives back or asks about, as element 90 names it. */
export interface OriginalMessage {
  readonly type: string;
  /** Its elements 11 and 7. */
  readonly traceNumber: string;
  readonly time: string;
}

/** What is said of an original whose message is not known: the standard fills with zeros. Element 61 still names it. */
const UNKNOWN_ORIGINAL: OriginalMessage = { type: "0000", traceNumber: "000000", time: "0000000000" };

/** Digits of each of the two institutions in element 90, zeros in front; no institution forwards, so the second is zeros. */
const INSTITUTION_DIGITS = 11;

/** Writes element 90, original data elements: type, trace number, date and time, acquirer, forwarder; 42 digits. */
export function writeOriginal(acquirer: string, { type, traceNumber, time } = UNKNOWN_ORIGINAL): string {
  return type + traceNumber + time + acquirer.padStart(INSTITUTION_DIGITS, "0") + "0".repeat(INSTITUTION_DIGITS);
}

/**
 * What the private element 48 can hold, as its subelement: the CVC of a verification, the bank's word on it (M match, N no match, P not
 * processed, U issuer unable), and, in the answer to an inquiry, the response code of what was asked about. Form and the numbers 92 and 87
 * are Mastercard's (Customer Interface Specification, DE 48): two digits number, two digits length, value. 39 is ours.
 */
export const PRIVATE = { cvc: "92", cvcResult: "87", originalCode: "39" } as const;

/** Subelements of element 48 by their number. */
export type PrivateData = Readonly<Record<string, string>>;

/** Writes element 48. Values have at most 99 characters. */
export function writePrivate(data: PrivateData): string {
  return Object.entries(data)
    .map(([number, value]) => number + String(value.length).padStart(2, "0") + value)
    .join("");
}

/** Reads element 48; undefined when it is malformed. An absent element reads as no subelements. */
export function readPrivate(text = ""): PrivateData | undefined {
  const data: Record<string, string> = {};
  for (let at = 0; at < text.length; ) {
    const head = text.slice(at, at + 4);
    if (!/^[0-9]{4}$/.test(head)) return undefined;
    const end = at + 4 + Number(head.slice(2));
    if (end > text.length) return undefined;
    data[head.slice(0, 2)] = text.slice(at + 4, end);
    at = end;
  }
  return data;
}

/** Elements 7 (month, day and time, UTC), 12 (time) and 13 (month and day, both where the merchant is) for a moment in milliseconds since 1970. */
export function timeElements(
  timeMs: number,
  timeZone = "UTC",
): { readonly 7: string; readonly 12: string; readonly 13: string } {
  const utc = digitsOf(timeMs);
  const local = timeZone === "UTC" ? utc : digitsOf(timeMs + offsetMsOf(timeMs, timeZone));
  return { 7: utc.slice(4), 12: local.slice(8), 13: local.slice(4, 8) };
}

/** Element 11. */
export function writeTraceNumber(traceNumber: number): string {
  return String(traceNumber).padStart(6, "0");
}

/**
 * Element 37, by the convention of the card networks: the last digit of the year, the day of the year and the hour (UTC) of the first sending,
 * and the trace number.
 */
export function retrievalReference({ traceNumber, timeMs }: { traceNumber: number; timeMs: number }): string {
  const year = new Date(timeMs).getUTCFullYear();
  const day = 1 + Math.floor((timeMs - Date.UTC(year, 0)) / 86_400_000);
  const hour = digitsOf(timeMs).slice(8, 10);
  return String(year % 10) + String(day).padStart(3, "0") + hour + writeTraceNumber(traceNumber);
}

/** Characters of the parts of element 43: name, city, and country (ISO 3166, two letters). */
const NAME_CHARS = 25;
const CITY_CHARS = 13;
const COUNTRY_CHARS = 2;

/** Element 43, who and where the merchant is: 25 characters name, 13 city, 2 country, each filled with spaces. Accents are left off. */
export function writeNameAndLocation(of: { name: string; city: string; countryCode: string }): string {
  const part = (text: string, length: number) => plain(text).slice(0, length).padEnd(length);
  return part(of.name, NAME_CHARS) + part(of.city, CITY_CHARS) + part(of.countryCode, COUNTRY_CHARS);
}

/** Letters without their accents; what is no printable ASCII even so is a space. */
function plain(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{Mn}/gu, "")
    .replace(/[^ -~]/gu, " ");
}

/** YYYYMMDDhhmmss, UTC. */
function digitsOf(timeMs: number): string {
  return new Date(timeMs)
    .toISOString()
    .replace(/[^0-9]/g, "")
    .slice(0, 14);
}

/** Formats that are made once a zone: making one takes a hundred times as long as using it. There are some 600 zones. */
const formats = new Map<string, Intl.DateTimeFormat>();

function offsetMsOf(timeMs: number, timeZone: string): number {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  formats.set(timeZone, format);
  const name = format.formatToParts(timeMs).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign, hours, minutes = "0"] = /^GMT([+-])(\d{2}):?(\d{2})?/.exec(name) ?? [];
  const offsetMs = (Number(hours ?? 0) * 60 + Number(minutes)) * 60_000;
  return sign === "-" ? -offsetMs : offsetMs;
}
