import { createSecret, type Secret } from "../_runtime/secret.ts";

/** A card that can be charged. */
export interface OpenCard {
  readonly number: Secret;
  /** 1 to 12. */
  readonly expMonth: number;
  /** Four digits. The card is good through the end of the month. */
  readonly expYear: number;
}

/** A card as someone typed it: nothing of it is certain. */
export interface TypedCard {
  readonly number: string;
  readonly expMonth: number;
  /** Two or four digits. */
  readonly expYear: number;
  /** Empty when not given. */
  readonly cvc: string;
}

/** What is wrong with a typed card; each is the reason of a refusal, in Stripe's words. */
export type CardProblem = "INCORRECT_NUMBER" | "INVALID_EXPIRY_MONTH" | "INVALID_EXPIRY_YEAR" | "INVALID_CVC";

/** A typed card that has the shape of a card, or the first problem found: number, month, year, CVC. */
export type CardReading =
  | { readonly isCard: true; readonly card: OpenCard; readonly cvc: Secret | undefined; readonly brand: Brand }
  | { readonly isCard: false; readonly problem: CardProblem };

/** The networks we can tell from a number. */
export type Brand = "visa" | "mastercard" | "amex" | "discover" | "diners" | "jcb" | "unionpay" | "unknown";

/** Reads a typed card on the given day; asks no bank. Spaces and dashes in the number are taken as typing, as Stripe does. */
export function readCard(typed: TypedCard, today: Date): CardReading {
  const number = typed.number.replace(/[ -]/g, "");
  const brand = brandOf(number);
  const expYear = typed.expYear >= 0 && typed.expYear < 100 ? typed.expYear + 2_000 : typed.expYear;
  const problem =
    problemOfNumber(number, brand) ?? problemOfExpiry(typed.expMonth, expYear, today) ?? problemOfCvc(typed.cvc, brand);
  if (problem !== undefined) return { isCard: false, problem };
  const card = { number: createSecret(number), expMonth: typed.expMonth, expYear };
  return { isCard: true, card, cvc: typed.cvc === "" ? undefined : createSecret(typed.cvc), brand };
}

/** Says whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B). */
export function isLuhnValid(digits: string): boolean {
  let sum = 0;
  for (const [index, digit] of [...digits].reverse().entries()) {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    sum += value > 9 ? value - 9 : value;
  }
  return digits !== "" && sum % 10 === 0;
}

/** The brand of a number by its first digits (ISO/IEC 7812 ranges as the networks publish them). 62 is UnionPay also where Discover accepts it. */
export function brandOf(number: string): Brand {
  return BRANDS.find(({ first }) => first.test(number))?.brand ?? "unknown";
}

/** What may be shown of a number in a statement: the first six and the last four digits, the most that PCI DSS 4.0.1 rule 3.4.1 lets be seen. */
export function maskNumber(number: string): string {
  return `${number.slice(0, 6)}${"*".repeat(number.length - 10)}${number.slice(-4)}`;
}

/** First digits, lengths and length of the CVC of each brand. */
const BRANDS: readonly { brand: Brand; first: RegExp; lengths: readonly number[]; cvcLength: number }[] = [
  { brand: "visa", first: /^4/, lengths: [13, 16, 19], cvcLength: 3 },
  { brand: "mastercard", first: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16], cvcLength: 3 },
  { brand: "amex", first: /^3[47]/, lengths: [15], cvcLength: 4 },
  { brand: "unionpay", first: /^62/, lengths: [16, 17, 18, 19], cvcLength: 3 },
  { brand: "discover", first: /^(6011|64[4-9]|65)/, lengths: [16, 17, 18, 19], cvcLength: 3 },
  { brand: "diners", first: /^(30[0-5]|3095|36|38|39)/, lengths: [14, 15, 16, 17, 18, 19], cvcLength: 3 },
  { brand: "jcb", first: /^35(2[89]|[3-8])/, lengths: [16, 17, 18, 19], cvcLength: 3 },
];

/** Stripe refuses a year further ahead than this. */
const YEARS_AHEAD_MAX = 50;

function problemOfNumber(number: string, brand: Brand): CardProblem | undefined {
  const lengths = BRANDS.find((row) => row.brand === brand)?.lengths;
  const isShaped = /^[0-9]{12,19}$/.test(number) && (lengths?.includes(number.length) ?? true);
  return isShaped && isLuhnValid(number) ? undefined : "INCORRECT_NUMBER";
}

function problemOfExpiry(month: number, year: number, today: Date): CardProblem | undefined {
  if (!Number.isInteger(month) || month < 1 || month > 12) return "INVALID_EXPIRY_MONTH";
  const thisYear = today.getUTCFullYear();
  if (!Number.isInteger(year) || year < thisYear || year > thisYear + YEARS_AHEAD_MAX) return "INVALID_EXPIRY_YEAR";
  return year === thisYear && month < today.getUTCMonth() + 1 ? "INVALID_EXPIRY_MONTH" : undefined;
}

function problemOfCvc(cvc: string, brand: Brand): CardProblem | undefined {
  if (cvc === "") return undefined;
  const length = BRANDS.find((row) => row.brand === brand)?.cvcLength;
  const isShaped = /^[0-9]{3,4}$/.test(cvc) && (length === undefined || cvc.length === length);
  return isShaped ? undefined : "INVALID_CVC";
}
