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

/** The message that a reversal takes back, as element 90 names it. */
export interface OriginalMessage {
  readonly type: string;
  /** Its elements 11 and 7. */
  readonly traceNumber: string;
  readonly time: string;
}

/** What is said of an original that we do not remember: the standard fills with zeros what is not known. Element 61 still names it. */
const FORGOTTEN: OriginalMessage = { type: "0000", traceNumber: "000000", time: "0000000000" };

/** Digits of each of the two institutions in element 90, zeros in front; the second, who forwarded it, is nobody. */
const INSTITUTION_DIGITS = 11;

/** Writes element 90, original data elements: type, trace number, date and time, acquirer, forwarder; 42 digits. */
export function writeOriginal(acquirer: string, { type, traceNumber, time } = FORGOTTEN): string {
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

/** Elements 7 (month, day and time, UTC), 12 (time) and 13 (month and day) for a moment in milliseconds since 1970. */
export function timeElements(nowMs: number): { readonly 7: string; readonly 12: string; readonly 13: string } {
  const digits = new Date(nowMs).toISOString().replace(/[^0-9]/g, "");
  const date = digits.slice(4, 8);
  const time = digits.slice(8, 14);
  return { 7: date + time, 12: time, 13: date };
}
