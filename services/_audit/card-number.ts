import { findCardNumbers, isCardNumber } from "../_runtime/card-number.ts";

/** Ids of traces in a log line: 16 or 32 hexadecimal digits, of which one in two thousand has no letter. */
const TRACE_IDS = /"(?:trace|span|parent)_id":"[0-9a-f]*"/g;

/**
 * What a bank knows a message by, in the sandbox bank's journal: its type, its trace number and its time, MMDDhhmmss. Of the trace numbers
 * 013400 to 013499 one in ten reads as a length of thirteen and a card number of that length.
 */
const MESSAGE_IDS = /"(?:message|originalMessage)":"0[1-9]\d{8}(?:0[1-9]|1[0-2])[0-3]\d[0-2]\d[0-5]\d[0-5]\d"/g;

/** A digit of any script, and what may stand between two, for Postgres: whatever is not ASCII may be either. */
const ANY_DIGIT = "[0-9\\u0080-\\U0010FFFF]";
const BETWEEN = "[ \\t\\u0080-\\U0010FFFF-]{0,3}";

/** What Postgres is asked for: every text in which `findCardNumbers` finds something matches it. */
export const CANDIDATE_PATTERN = `${ANY_DIGIT}(${BETWEEN}${ANY_DIGIT}){12}`;

/** Finds card numbers in a line of a file: as in every text, and in the digits of an ISO 8583 frame; ids of traces and messages are none. */
export function findNumbersInLine(line: string): string[] {
  const plain = line.replaceAll(TRACE_IDS, "").replaceAll(MESSAGE_IDS, "");
  const frames = Array.from(plain.matchAll(/(?<![0-9A-Fa-f.])\d{20,}(?![0-9A-Fa-f]|\.\d)/g), ([digits]) => digits);
  return [...findCardNumbers(plain), ...frames.flatMap(unpack).filter(isCardNumber)];
}

/** A number as it may be shown: its first four digits and how many there are. */
export function maskCardNumber(number: string): string {
  return `${number.slice(0, 4)}… (${number.length} digits)`;
}

/** In ISO 8583 a number follows its length: 16 and then sixteen digits, in the middle of others. */
function unpack(digits: string): string[] {
  return Array.from({ length: digits.length }, (_, start) => {
    const length = Number(digits.slice(start, start + 2));
    return length >= 13 && length <= 19 ? digits.slice(start + 2, start + 2 + length) : "";
  });
}
