/** A network's card numbers: their first digits, and the lengths they have. */
export interface CardBrand {
  readonly name: "amex" | "diners" | "discover" | "jcb" | "maestro" | "mastercard" | "unionpay" | "visa";
  readonly first: RegExp;
  readonly lengths: readonly number[];
}

/** ISO/IEC 7812 ranges as the networks publish them. 62 is UnionPay also where Discover accepts it. */
export const cardBrands: readonly CardBrand[] = [
  { name: "visa", first: /^4/, lengths: [13, 16, 19] },
  { name: "mastercard", first: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { name: "amex", first: /^3[47]/, lengths: [15] },
  { name: "unionpay", first: /^(62|81)/, lengths: [16, 17, 18, 19] },
  { name: "discover", first: /^(6011|64[4-9]|65)/, lengths: [16, 17, 18, 19] },
  { name: "diners", first: /^(30[0-5]|3095|36|38|39)/, lengths: [14, 15, 16, 17, 18, 19] },
  { name: "jcb", first: /^35(2[89]|[3-8])/, lengths: [16, 17, 18, 19] },
  { name: "maestro", first: /^(50|5[6-8]|6[37])/, lengths: [13, 14, 15, 16, 17, 18, 19] },
];

/** The fewest digits of a brand's number above. */
const DIGITS_MIN = 13;

/**
 * Digits of any script, with up to three spaces, dashes or invisible characters between two of them: a number copied from
 * a web page or a mail holds non-breaking spaces, typographic dashes or full-width digits.
 */
const SEPARATOR = "[ \\t\\p{Zs}\\p{Pd}\\p{Cf}\\u2212]";
const RUN = new RegExp(`\\p{Nd}(?:${SEPARATOR}{0,3}\\p{Nd}){${DIGITS_MIN - 1},}`, "gu");

/** Groups of digits as they are printed on cards and typed from them; any other grouping counts when nothing else is beside it. */
const LAYOUTS: readonly (readonly number[])[] = [
  [4, 4, 4, 4],
  [4, 4, 4, 4, 3],
  [4, 6, 5],
  [4, 6, 4],
  [4, 4, 4, 1],
  [4, 3, 3, 3],
  [4, 4, 5],
  [8, 8],
];

/** Where a card number stands in a text. */
interface Place {
  readonly start: number;
  readonly end: number;
  readonly digits: string;
}

/**
 * Finds card numbers in a text: digits with a brand's first digits, a length of that brand and a right check digit. Digits
 * inside of hexadecimal words (a UUID, a hash) and behind a decimal point are not taken for one, nor are an IBAN's, nor
 * thirteen digits that are an article number (EAN) or a telephone number ("+" or "phone" before them).
 */
export function findCardNumbers(text: string): string[] {
  return findPlaces(text).map(({ digits }) => digits);
}

/** Says whether a text holds a card number, as `findCardNumbers` finds them. */
export function holdsCardNumber(text: string): boolean {
  return findPlaces(text).length > 0;
}

/** Puts "[redacted]" in the place of each card number of a text. */
export function redactCardNumbers(text: string): string {
  return findPlaces(text).reduceRight(
    (rest, { start, end }) => `${rest.slice(0, start)}[redacted]${rest.slice(end)}`,
    text,
  );
}

/** Says whether digits alone are a card number: a brand's first digits and length, and a right check digit. */
export function isCardNumber(digits: string): boolean {
  const isOfBrand = cardBrands.some(({ first, lengths }) => lengths.includes(digits.length) && first.test(digits));
  return isOfBrand && isLuhnValid(digits);
}

/** Says whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B). */
export function isLuhnValid(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, weight = 1; at >= 0; at -= 1, weight = 3 - weight) {
    const value = Number(digits[at]) * weight;
    sum += value > 9 ? value - 9 : value;
  }
  return digits !== "" && sum % 10 === 0;
}

function findPlaces(text: string): Place[] {
  if (!mayHold(text)) return [];
  return [...text.matchAll(RUN)].flatMap(({ index, 0: run }) => {
    const end = index + run.length;
    return isIban(text, index, end) ? [] : findInRun(text, index, run);
  });
}

/** Most texts have too few digits; this costs less than the pattern. */
function mayHold(text: string): boolean {
  if (text.length < DIGITS_MIN) return false;
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if ((code >= 48 && code <= 57) || code > 127) count += 1;
  }
  return count >= DIGITS_MIN;
}

function findInRun(text: string, start: number, run: string): Place[] {
  const groups = [...run.matchAll(/\p{Nd}+/gu)].map(({ index, 0: digits }) => ({
    start: start + index,
    end: start + index + digits.length,
    digits: toAscii(digits),
  }));
  const own = groups.filter((group) => !isInHexWord(text, group) && !isFraction(text, group));
  const isAlone = own.length === groups.length && !isBesideHexWord(text, start, start + run.length);
  const whole = join(own);
  if (isAlone && isCard(text, whole)) return [whole];
  const places: Place[] = [];
  for (let at = 0; at < own.length; ) {
    const found = findAt(text, own, at);
    if (found !== undefined) places.push(found.place);
    at += found?.count ?? 1;
  }
  return places;
}

function findAt(text: string, groups: readonly Place[], at: number): { place: Place; count: number } | undefined {
  for (const count of [1, ...layoutCounts(groups, at)]) {
    const place = join(groups.slice(at, at + count));
    if (isCard(text, place)) return { place, count };
  }
  return undefined;
}

function layoutCounts(groups: readonly Place[], at: number): number[] {
  return LAYOUTS.filter((layout) => layout.every((length, step) => groups[at + step]?.digits.length === length)).map(
    ({ length }) => length,
  );
}

function join(groups: readonly Place[]): Place {
  const digits = groups.map((group) => group.digits).join("");
  return { start: groups[0]?.start ?? 0, end: groups.at(-1)?.end ?? 0, digits };
}

function isCard(text: string, { start, digits }: Place): boolean {
  if (!isCardNumber(digits)) return false;
  return digits.length !== 13 || !(isArticleNumber(digits) || isPhone(text, start));
}

// A trace's id, a hash or a part of a UUID: one in a thousand groups of them has digits only.
function isInHexWord(text: string, { start, end }: Place): boolean {
  const before = /[0-9A-Za-z]*$/.exec(text.slice(Math.max(0, start - 64), start))?.[0] ?? "";
  const after = /^[0-9A-Za-z]*/.exec(text.slice(end, end + 64))?.[0] ?? "";
  return /^[0-9A-Fa-f]+$/.test(before + after);
}

function isBesideHexWord(text: string, start: number, end: number): boolean {
  const isBefore = /(?<![0-9A-Za-z])[0-9A-Fa-f]+-$/.test(text.slice(Math.max(0, start - 64), start));
  return isBefore || /^-[0-9A-Fa-f]+(?![0-9A-Za-z])/.test(text.slice(end, end + 64));
}

// 0.4242424242424242: a sum of floating-point numbers, or a measured time.
function isFraction(text: string, { start }: Place): boolean {
  return /[0-9]\.$/.test(text.slice(Math.max(0, start - 2), start));
}

// One in ten German account numbers has the form of a Mastercard's number: an IBAN's own check digits tell it apart.
function isIban(text: string, start: number, end: number): boolean {
  // 34: the longest IBAN; with a space after every four.
  const [, iban] =
    /(?<![0-9A-Za-z])([A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30})$/i.exec(text.slice(Math.max(0, start - 16), end)) ?? [];
  if (iban === undefined) return false;
  const compact = iban.replaceAll(/[ -]/g, "").toUpperCase();
  const numerals = [...compact.slice(4), ...compact.slice(0, 4)].map((char) => Number.parseInt(char, 36)).join("");
  return BigInt(numerals) % 97n === 1n;
}

// GS1: weights 1 and 3. German, British and Danish articles begin as Visa's and Maestro's numbers of 13 digits do.
function isArticleNumber(digits: string): boolean {
  const sum = Array.from(digits, Number).reduce((total, digit, index) => total + digit * (index % 2 === 0 ? 1 : 3), 0);
  return sum % 10 === 0;
}

// German, British and Swiss mobile numbers have 13 digits that begin with 4.
function isPhone(text: string, start: number): boolean {
  return /(?:\+|phone\]?"?\s*[:=]\s*"?)$/i.test(text.slice(Math.max(0, start - 16), start));
}

/** The digits of any script as 0 to 9. Unicode keeps those of a script in order, ten or several tens in a row. */
function toAscii(digits: string): string {
  if (/^[0-9]+$/.test(digits)) return digits;
  return Array.from(digits, (digit) => {
    if (digit >= "0" && digit <= "9") return digit;
    const code = digit.codePointAt(0) ?? 0;
    let zero = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return String((code - zero) % 10);
  }).join("");
}
