import { assert } from "../_runtime/errors.ts";

/**
 * Writes an invoice's number, such as "ABC-0001": the customer's prefix, and the place in the customer's own sequence in
 * four digits or, from 10,000 on, as many as it takes (docs.stripe.com/invoicing/customize, "customer level"). It is
 * given at finalization, never to a draft. Throws unless the prefix is 3 to 12 capitals and digits, as the table
 * `customer` holds it, and the sequence starts at 1.
 */
export function invoiceNumber(prefix: string, sequence: number): string {
  assert(/^[A-Z0-9]{3,12}$/.test(prefix), `"${prefix}" is no prefix of 3 to 12 capitals and digits`);
  assert(Number.isSafeInteger(sequence) && sequence >= 1, `${sequence} is no place in a sequence`);
  return `${prefix}-${String(sequence).padStart(DIGITS_MIN, "0")}`;
}

// As many as Stripe's numbers have at least.
const DIGITS_MIN = 4;
