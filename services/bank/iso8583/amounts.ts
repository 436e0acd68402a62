import { currencies, findCurrency } from "../../_runtime/currency.ts";

/** An amount as data elements 4 and 49 carry it. */
export interface IsoAmount {
  /** Twelve digits, in the minor unit that ISO 4217 gives the currency. */
  readonly amount: string;
  /** Three digits, ISO 4217. */
  readonly currencyNumber: string;
}

/** An amount in Tripe's minor units. */
export interface MinorAmount {
  readonly amountMinor: bigint;
  readonly currencyCode: string;
}

/** Digits of data element 4. */
const AMOUNT_DIGITS = 12;

/**
 * Writes an amount for a bank; undefined when it cannot be said: a currency we do not know, more than twelve digits,
 * or a fraction of the bank's smallest unit.
 */
export function toIsoAmount({ amountMinor, currencyCode }: MinorAmount): IsoAmount | undefined {
  const currency = findCurrency(currencyCode);
  if (currency === undefined || amountMinor < 0n) return undefined;
  const { times, over } = SCALES.get(currencyCode) ?? PLAIN;
  const scaled = amountMinor * times;
  const amount = (scaled / over).toString().padStart(AMOUNT_DIGITS, "0");
  if (scaled % over !== 0n || amount.length > AMOUNT_DIGITS) return undefined;
  return { amount, currencyNumber: currency.number };
}

/** Reads a bank's amount; undefined when we do not know its currency, or it is a fraction of our smallest unit. */
export function fromIsoAmount({ amount, currencyNumber }: IsoAmount): MinorAmount | undefined {
  const code = CODES.get(currencyNumber);
  if (code === undefined) return undefined;
  const { times, over } = SCALES.get(code) ?? PLAIN;
  const scaled = BigInt(amount) * over;
  return scaled % times === 0n ? { amountMinor: scaled / times, currencyCode: code } : undefined;
}

const PLAIN = { times: 1n, over: 1n };

/** Where Stripe's minor units, which are Tripe's, are not ISO 4217's (see services/_runtime/currency.ts): ours × times ÷ over. */
const SCALES: ReadonlyMap<string, { times: bigint; over: bigint }> = new Map([
  ["ISK", { times: 1n, over: 100n }],
  ["UGX", { times: 1n, over: 100n }],
  ["MGA", { times: 100n, over: 1n }],
]);

const CODES: ReadonlyMap<string, string> = new Map(currencies.map(({ number, code }) => [number, code]));
