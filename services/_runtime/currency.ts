/** A currency in which Tripe charges. */
export interface Currency {
  /** The ISO 4217 code in upper case, such as "USD". */
  readonly code: string;
  /** The three digits of ISO 4217, leading zeros kept: what a bank's message carries. */
  readonly number: string;
  /** How many digits of an amount in minor units stand behind the point: 0, 2 or 3. */
  readonly exponent: 0 | 2 | 3;
  /** The least a charge may be, in minor units. */
  readonly minimumMinor: bigint;
  /** Every amount is a multiple of it, in minor units: what is less does not exist, or no card is charged it. */
  readonly stepMinor: 1n | 10n | 100n;
}

// Every currency Stripe charges cards in (docs.stripe.com/currencies), with its number in ISO 4217. Left out is ANG:
// it ended in June 2025, and its successor XCG took over its number.
const numbers = `
  AED 784  AFN 971  ALL 008  AMD 051  AOA 973  ARS 032  AUD 036  AWG 533  AZN 944  BAM 977  BBD 052  BDT 050
  BGN 975  BHD 048  BIF 108  BMD 060  BND 096  BOB 068  BRL 986  BSD 044  BWP 072  BYN 933  BZD 084  CAD 124
  CDF 976  CHF 756  CLP 152  CNY 156  COP 170  CRC 188  CVE 132  CZK 203  DJF 262  DKK 208  DOP 214  DZD 012
  EGP 818  ETB 230  EUR 978  FJD 242  FKP 238  GBP 826  GEL 981  GIP 292  GMD 270  GNF 324  GTQ 320  GYD 328
  HKD 344  HNL 340  HTG 332  HUF 348  IDR 360  ILS 376  INR 356  ISK 352  JMD 388  JOD 400  JPY 392  KES 404
  KGS 417  KHR 116  KMF 174  KRW 410  KWD 414  KYD 136  KZT 398  LAK 418  LBP 422  LKR 144  LRD 430  LSL 426
  MAD 504  MDL 498  MGA 969  MKD 807  MMK 104  MNT 496  MOP 446  MUR 480  MVR 462  MWK 454  MXN 484  MYR 458
  MZN 943  NAD 516  NGN 566  NIO 558  NOK 578  NPR 524  NZD 554  OMR 512  PAB 590  PEN 604  PGK 598  PHP 608
  PKR 586  PLN 985  PYG 600  QAR 634  RON 946  RSD 941  RUB 643  RWF 646  SAR 682  SBD 090  SCR 690  SEK 752
  SGD 702  SHP 654  SLE 925  SOS 706  SRD 968  STD 678  SZL 748  THB 764  TJS 972  TND 788  TOP 776  TRY 949
  TTD 780  TWD 901  TZS 834  UAH 980  UGX 800  USD 840  UYU 858  UZS 860  VND 704  VUV 548  WST 882  XAF 950
  XCD 951  XCG 532  XOF 952  XPF 953  YER 886  ZAR 710  ZMW 967`;

// The exponents of Stripe's public amounts. They are ISO 4217's but for three: MGA has none (ISO: 2), and ISK and UGX
// keep two for compatibility (ISO: 0), so a bank that goes by ISO must be sent ISK and UGX divided by a hundred.
const withoutMinorUnit = new Set("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(" "));
const withoutHundredths = new Set(["ISK", "UGX"]);

// Card networks carry two digits behind the point. docs.stripe.com/currencies, of three-decimal currencies: the last digit of
// an amount is 0, so that 5.124 KWD is charged as 5.120 or 5.130.
const withThreeDigits = new Set("BHD JOD KWD OMR TND".split(" "));

// Stripe's published minimums, in minor units. It publishes none for the other currencies (it converts to what the
// merchant settles in, and Tripe knows no rates), so theirs is one whole unit: 1 KES, 1 KWD, 1 KRW.
const publishedMinimums: Readonly<Record<string, bigint>> = {
  AED: 200n,
  AUD: 50n,
  BGN: 100n,
  BRL: 50n,
  CAD: 50n,
  CHF: 50n,
  CZK: 1_500n,
  DKK: 250n,
  EUR: 50n,
  GBP: 30n,
  HKD: 400n,
  HUF: 17_500n,
  INR: 50n,
  JPY: 50n,
  MXN: 1_000n,
  MYR: 200n,
  NOK: 300n,
  NZD: 50n,
  PLN: 200n,
  RON: 200n,
  SEK: 300n,
  SGD: 50n,
  THB: 1_000n,
  USD: 50n,
};

/** Every currency Tripe charges in, ordered by code. The only place that lists them. */
export const currencies: readonly Currency[] = Array.from(numbers.matchAll(/([A-Z]{3}) (\d{3})/g), (row) =>
  createCurrency(String(row[1]), String(row[2])),
);

const byCode = new Map(currencies.map((currency) => [currency.code, currency]));

/** Finds a currency by its code in upper case; undefined when Tripe does not charge in it. */
export function findCurrency(code: string): Currency | undefined {
  return byCode.get(code);
}

function createCurrency(code: string, number: string): Currency {
  const exponent = withoutMinorUnit.has(code) ? 0 : withThreeDigits.has(code) ? 3 : 2;
  const minimumMinor = publishedMinimums[code] ?? 10n ** BigInt(exponent);
  const stepMinor = withoutHundredths.has(code) ? 100n : exponent === 3 ? 10n : 1n;
  return Object.freeze({ code, number, exponent, minimumMinor, stepMinor });
}
