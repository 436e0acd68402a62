import type { Message } from "../iso8583/codec.ts";
import { FIELDS, type Field, isFieldNumber } from "../iso8583/fields.ts";

/** Characters that each alphabet takes, for tests that make values. */
export const CHARACTERS: Readonly<Record<Field["alphabet"], string>> = {
  n: "0123456789",
  an: "0123456789ABCXYZabcxyz",
  ans: " !0123456789ABCXYZabcxyz_-~",
  "x+n": "C",
  z: "0123456789=D",
  b: "0123456789ABCDEF",
};

/** A value of an element from characters that a test picks; an amount with a sign begins with it. */
export function createValue({ alphabet }: Field, characters: string): string {
  return alphabet === "x+n" ? `C${"0".repeat(characters.length - 1)}` : characters;
}

/**
 * Writes a message without asking what its values are, so that a test can say whether `decode` has given back all that it read, and nothing
 * else. It counts bits in a way of its own.
 */
export function renderMessage({ type, fields }: Message): string {
  const bits = Array.from({ length: 128 }, () => "0");
  let elements = "";
  for (const [key, value = ""] of Object.entries(fields)) {
    const number = Number(key);
    if (!isFieldNumber(number)) throw new Error(`no element ${key}`);
    bits[number - 1] = "1";
    const { form } = FIELDS[number];
    elements += form === "fixed" ? value : String(value.length).padStart(form.length, "0") + value;
  }
  const isLong = bits.indexOf("1", 64) >= 0;
  if (isLong) bits[0] = "1";
  const bitmap = BigInt(`0b${bits.slice(0, isLong ? 128 : 64).join("")}`).toString(16);
  return type + bitmap.padStart(isLong ? 32 : 16, "0").toUpperCase() + elements;
}

/** A message's text as `renderMessage` writes it: capital digits in the bitmap, and no second bitmap without a bit. */
export function normalizeMessage(text: string): string {
  const isLong = /^[89a-f]/i.test(text.charAt(4));
  const end = isLong ? 36 : 20;
  const bitmap = text.slice(4, end).toUpperCase();
  const isEmpty = isLong && bitmap.endsWith("0".repeat(16));
  const first = isEmpty ? (Number.parseInt(bitmap.charAt(0), 16) & 7).toString(16).toUpperCase() : bitmap.charAt(0);
  return text.slice(0, 4) + first + bitmap.slice(1, isEmpty ? 16 : undefined) + text.slice(end);
}
