/** What is known of a card beyond its number. */
export interface CardFacts {
  readonly funding: "credit" | "debit" | "prepaid" | "unknown";
  /** ISO 3166-1 alpha-2; empty when unknown. */
  readonly countryCode: string;
}

/**
 * What is known of a card by its number. Networks sell the lists that say so of real cards, and we have none: besides the test cards
 * (docs.stripe.com/testing), every card counts as a credit card of an unknown country.
 */
export function factsOf(number: string): CardFacts {
  const funding = FUNDING[number] ?? "credit";
  return { funding, countryCode: TEST_PREFIXES.some((prefix) => number.startsWith(prefix)) ? "US" : "" };
}

const FUNDING: Readonly<Record<string, CardFacts["funding"]>> = {
  "4000056655665556": "debit",
  "5200828282828210": "debit",
  "6011981111111113": "debit",
  "5105105105105100": "prepaid",
};

/** First digits of the American test cards. 400000 is the range in which Stripe's test cards lie. */
const TEST_PREFIXES: readonly string[] = [
  "400000",
  "400005",
  "410000",
  "424242",
  "222300",
  "510510",
  "520082",
  "555555",
  "371449",
  "378282",
  "601100",
  "601111",
  "601198",
  "305693",
  "362272",
];
