import { FIELDS, type Field, type FieldNumber, type FieldValues, isFieldNumber, numbersOf } from "./fields.ts";

/** One ISO 8583 message: its four digit message type indicator and its data elements. */
export interface Message {
  readonly type: string;
  readonly fields: FieldValues;
}

/** Where a message is wrong: a data element, the message type, the bitmap, or what follows the last element. */
export type CodecPlace = FieldNumber | "type" | "bitmap" | "end";

/** What is wrong there. */
export type CodecProblem = "alphabet" | "length" | "truncated" | "left_over";

/**
 * A message that cannot be written or read. It names the place and the problem, never a value, since a value can be a card number.
 * `traceNumber` is data element 11 when it was read before the fault: it says whose answer is spoiled.
 */
export class CodecError extends Error {
  readonly place: CodecPlace;
  readonly problem: CodecProblem;
  readonly traceNumber: string | undefined;

  constructor(place: CodecPlace, problem: CodecProblem, traceNumber?: string) {
    super(`ISO 8583 message: ${problem} at ${place}`);
    this.name = "CodecError";
    this.place = place;
    this.problem = problem;
    this.traceNumber = traceNumber;
  }
}

/**
 * Writes a message: type, bitmap as 16 hexadecimal digits (32 when an element above 64 is there), elements in rising order, all ASCII.
 * Values are taken as they are: a fixed element must have its full length, nothing is padded. Throws CodecError.
 */
export function encode({ type, fields }: Message): Buffer {
  if (!TYPE.test(type)) throw new CodecError("type", "alphabet");
  const present = numbersOf(fields).filter((number) => fields[number] !== undefined);
  const elements = present.map((number) => encodeElement(number, fields[number] ?? ""));
  return Buffer.from(type + encodeBitmap(present) + elements.join(""), "latin1");
}

/**
 * Reads a message whose elements have the forms of the table, all of them, to its last byte. Elements that nothing here depends on may hold
 * any characters, or none: what is not needed is no reason to lose an answer. What messages are told apart and judged by (CHECKED)
 * must be in its alphabet. Cut off or too long: CodecError.
 */
export function decode(bytes: Buffer): Message {
  const cursor = createCursor(bytes.toString("latin1"));
  const type = cursor.take("type", 4);
  if (!TYPE.test(type)) throw new CodecError("type", "alphabet");
  const fields: { [key in FieldNumber]?: string } = {};
  try {
    for (const number of decodeBitmap(cursor)) fields[number] = decodeElement(cursor, number);
    if (!cursor.isAtEnd()) throw new CodecError("end", "left_over");
  } catch (error) {
    if (error instanceof CodecError) throw new CodecError(error.place, error.problem, fields[11]);
    throw error;
  }
  return { type, fields };
}

/** Elements whose characters are checked also when they are read: those that say whose an answer is, of how much, and what it says. */
const CHECKED: ReadonlySet<FieldNumber> = new Set([3, 4, 7, 11, 32, 39, 49, 61, 63, 70]);

/** Version 0 (1987), a class and a function of the standard, and the origin: acquirer 0 and its repeat 1, issuer 2 and 3, others 4 and 5. */
const TYPE = /^0[1-8][0-5][0-5]$/;

const ALPHABETS: Record<Field["alphabet"], RegExp> = {
  n: /^[0-9]*$/,
  an: /^[A-Za-z0-9]*$/,
  ans: /^[ -~]*$/,
  "x+n": /^[CD][0-9]*$/,
  z: /^[0-9=D]*$/,
  b: /^[0-9A-F]*$/,
};

/** Digits of the length that goes before a variable element. */
const PREFIX_LENGTHS: Record<Field["form"], number> = { fixed: 0, LL: 2, LLL: 3 };

interface Cursor {
  /** Gives the next characters; throws `truncated` for this place when fewer are left. */
  take(place: CodecPlace, length: number): string;
  isAtEnd(): boolean;
}

function createCursor(text: string): Cursor {
  let position = 0;
  return {
    take(place, length) {
      if (position + length > text.length) throw new CodecError(place, "truncated");
      position += length;
      return text.slice(position - length, position);
    },
    isAtEnd: () => position === text.length,
  };
}

function encodeElement(number: FieldNumber, value: string): string {
  assertElement(number, value);
  const prefixLength = PREFIX_LENGTHS[FIELDS[number].form];
  return prefixLength === 0 ? value : String(value.length).padStart(prefixLength, "0") + value;
}

function decodeElement(cursor: Cursor, number: FieldNumber): string {
  const field = FIELDS[number];
  const length = decodeLength(cursor, number, field);
  if (length > field.lengthMax) throw new CodecError(number, "length");
  const value = cursor.take(number, length);
  if (CHECKED.has(number)) assertElement(number, value);
  return value;
}

function decodeLength(cursor: Cursor, number: FieldNumber, field: Field): number {
  const prefixLength = PREFIX_LENGTHS[field.form];
  if (prefixLength === 0) return field.lengthMax;
  const prefix = cursor.take(number, prefixLength);
  if (!ALPHABETS.n.test(prefix)) throw new CodecError(number, "alphabet");
  return Number(prefix);
}

function assertElement(number: FieldNumber, value: string): void {
  const { alphabet, form, lengthMax } = FIELDS[number];
  const lengthMin = form === "fixed" ? lengthMax : 1;
  if (value.length < lengthMin || value.length > lengthMax) throw new CodecError(number, "length");
  if (!ALPHABETS[alphabet].test(value)) throw new CodecError(number, "alphabet");
}

/** Sixteen hexadecimal digits to a bitmap, four elements to a digit; element 1, the first bit, says that a second bitmap follows. */
const BITMAP_DIGITS = 16;

function encodeBitmap(present: readonly FieldNumber[]): string {
  const isLong = present.some((number) => number > 4 * BITMAP_DIGITS);
  const digits: number[] = Array(isLong ? 2 * BITMAP_DIGITS : BITMAP_DIGITS).fill(0);
  for (const number of isLong ? [1, ...present] : present) {
    const at = (number - 1) >> 2;
    digits[at] = (digits[at] ?? 0) | bitOf(number);
  }
  return digits.map((digit) => HEXADECIMAL[digit]).join("");
}

function decodeBitmap(cursor: Cursor): FieldNumber[] {
  const first = decodeDigits(takeBitmap(cursor), 0);
  if (first[0] !== 1) return first.filter(isFieldNumber);
  // Some banks always send the second one, also without a bit.
  const second = decodeDigits(takeBitmap(cursor), 4 * BITMAP_DIGITS);
  return [...first.slice(1), ...second].filter(isFieldNumber);
}

function takeBitmap(cursor: Cursor): string {
  const text = cursor.take("bitmap", BITMAP_DIGITS).toUpperCase();
  if (!/^[0-9A-F]{16}$/.test(text)) throw new CodecError("bitmap", "alphabet");
  return text;
}

/** The numbers whose bits are set, counted on from `before`. */
function decodeDigits(text: string, before: number): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const digit = HEXADECIMAL.indexOf(text.charAt(at));
    for (let number = 4 * at + 1; number <= 4 * at + 4; number++) {
      if ((digit & bitOf(number)) !== 0) numbers.push(before + number);
    }
  }
  return numbers;
}

const HEXADECIMAL = "0123456789ABCDEF";

/** The bit of an element inside its digit; the first of four is the highest. */
function bitOf(number: number): number {
  return 8 >> ((number - 1) & 3);
}
