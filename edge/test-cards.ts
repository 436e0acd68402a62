/** The numbers behind the well-known names that a sandbox key may use instead of a card (docs.stripe.com/testing). */
const numbers: Readonly<Record<string, string>> = {
  visa: "4242424242424242",
  visa_debit: "4000056655665556",
  mastercard: "5555555555554444",
  mastercard_debit: "5200828282828210",
  mastercard_prepaid: "5105105105105100",
  amex: "378282246310005",
  discover: "6011111111111117",
  diners: "3056930009020004",
  jcb: "3566002020360505",
  unionpay: "6200000000000005",
  chargeDeclined: "4000000000000002",
  chargeDeclinedInsufficientFunds: "4000000000009995",
  chargeDeclinedLostCard: "4000000000009987",
  chargeDeclinedStolenCard: "4000000000009979",
  chargeDeclinedExpiredCard: "4000000000000069",
  chargeDeclinedIncorrectCvc: "4000000000000127",
  chargeDeclinedProcessingError: "4000000000000119",
  chargeCustomerFail: "4000000000000341",
  refundFail: "4000000000005126",
  pendingRefund: "4000000000007726",
};

/**
 * Finds the number behind a test card's name: `tok_…` or `pm_card_…`, the failing ones also with `visa_` before their
 * own name (`tok_visa_chargeDeclined`). Undefined for every other id, which is then one of Tripe's own.
 */
export function testCardNumber(name: string): string | undefined {
  const own = /^(?:tok_|pm_card_)(.+)$/.exec(name)?.[1];
  if (own === undefined) return undefined;
  const plain = own.replace(/^visa_(?=charge|refund|pending)/, "");
  return Object.hasOwn(numbers, plain) ? numbers[plain] : undefined;
}

/** Every test card's name of one kind, for tests and the reference. */
export function testCardNames(prefix: "pm_card_" | "tok_"): string[] {
  return Object.keys(numbers).map((name) => prefix + name);
}
