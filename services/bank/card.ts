import { type CardBrand, cardBrands, isLuhnValid } from "../_runtime/card-number.ts";
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
export type Brand = Exclude<CardBrand["name"], "maestro"> | "unknown";

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

/** The brand of a number by its first digits. Maestro's has no name in the public API. */
export function brandOf(number: string): Brand {
  const name = cardBrands.find(({ first }) => first.test(number))?.name ?? "unknown";
  return name === "maestro" ? "unknown" : name;
}

/** What may be shown of a number in a statement: the first six and the last four digits, the most that PCI DSS 4.0.1 rule 3.4.1 lets be seen. */
export function maskNumber(number: string): string {
  return `${number.slice(0, 6)}${"*".repeat(number.length - 10)}${number.slice(-4)}`;
}

/** Stripe refuses a year further ahead than this. */
const YEARS_AHEAD_MAX = 50;

function problemOfNumber(number: string, brand: Brand): CardProblem | undefined {
  const lengths = cardBrands.find(({ name }) => name === brand)?.lengths;
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
  // American Express prints four digits, every other network three.
  const isShaped = brand === "unknown" ? /^[0-9]{3,4}$/ : brand === "amex" ? /^[0-9]{4}$/ : /^[0-9]{3}$/;
  return isShaped.test(cvc) ? undefined : "INVALID_CVC";
}
