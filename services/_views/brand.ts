/** How the public API spells one card network: three spellings, by where it stands. */
interface BrandWords {
  /** In the older card object. */
  readonly source: string;
  /** In a payment method's `display_brand`. */
  readonly display: string;
}

// The words are those of the comments on `brand` and `display_brand` in the SDK's types. Payment methods spell the brand
// as Tripe does: visa, mastercard, amex, discover, diners, jcb, unionpay, unknown.
const brands: Readonly<Record<string, BrandWords>> = {
  visa: { source: "Visa", display: "visa" },
  mastercard: { source: "MasterCard", display: "mastercard" },
  amex: { source: "American Express", display: "american_express" },
  discover: { source: "Discover", display: "discover" },
  diners: { source: "Diners Club", display: "diners_club" },
  jcb: { source: "JCB", display: "jcb" },
  unionpay: { source: "UnionPay", display: "union_pay" },
};

const unknownBrand: BrandWords = { source: "Unknown", display: "other" };

/** A network in the words of the older card object: "Visa". One that Stripe has no word for is "Unknown". */
export function sourceBrandOf(brand: string): string {
  return wordsOf(brand).source;
}

/** A network as it is to be displayed: "american_express". One that Stripe has no word for is "other". */
export function displayBrandOf(brand: string): string {
  return wordsOf(brand).display;
}

function wordsOf(brand: string): BrandWords {
  return Object.hasOwn(brands, brand) ? (brands[brand] ?? unknownBrand) : unknownBrand;
}
