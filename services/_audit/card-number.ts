/** The first digits of each brand's cards and the lengths its numbers have (ISO/IEC 7812 and the networks' published ranges). */
const BRANDS: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^3(0[0-5]|[689])/, [14, 16, 19]],
  [/^35(2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^(6011|64[4-9]|65)/, [16, 19]],
  [/^(62|81)/, [16, 17, 18, 19]],
  [/^(50|5[6-8]|6[37])/, [13, 14, 15, 16, 17, 18, 19]],
];

/**
 * Digits that stand alone: not inside of a hexadecimal number (a trace's id), nor behind a decimal point. A time in
 * milliseconds has 13 digits too, but no card begins with 1.
 */
const ALONE = /(?<![0-9A-Fa-f.])\d{13,}(?![0-9A-Fa-f]|\.\d)/g;

/** Digits as people write them and mails print them: 4-4-4-4 and 4-6-5. */
const GROUPED = /(?<![0-9A-Za-z-])\d{4}([ -])(?:\d{4}\1\d{4}\1\d{4}|\d{6}\1\d{5})(?![0-9A-Za-z-])/g;

/** Ids of traces in a log line: 16 or 32 hexadecimal digits, of which one in two thousand has no letter. */
const TRACE_IDS = /"(?:trace|span|parent)_id":"[0-9a-f]*"/g;

/** What Postgres is asked for: every text in which `findCardNumbers` finds something matches it. */
export const CANDIDATE_PATTERN = "[0-9]{13}|[0-9]{4}[ -][0-9]{4,6}[ -][0-9]{4}";

/** Finds card numbers in a text: of a brand's range and length, with a right check digit; also inside of ISO 8583 digits. */
export function findCardNumbers(text: string): string[] {
  const plain = text.replaceAll(TRACE_IDS, "");
  const alone = Array.from(plain.matchAll(ALONE), ([digits]) => digits);
  const grouped = Array.from(plain.matchAll(GROUPED), ([words]) => words.replaceAll(/\D/g, ""));
  return [...alone, ...grouped].flatMap((digits) => (digits.length > 19 ? unpack(digits) : [digits])).filter(isCard);
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

function isCard(digits: string): boolean {
  const isOfBrand = BRANDS.some(([first, lengths]) => lengths.includes(digits.length) && first.test(digits));
  return isOfBrand && isLuhnValid(digits);
}

/** ISO/IEC 7812-1, annex B. */
function isLuhnValid(digits: string): boolean {
  const sum = Array.from(digits, Number)
    .reverse()
    .reduce((total, digit, index) => total + (index % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)), 0);
  return sum % 10 === 0;
}
