import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { AccountSchema } from "../../../gen/tripe/billing/v1/account_pb.ts";
import { type Invoice, InvoiceSchema, InvoiceState } from "../../../gen/tripe/billing/v1/invoice_pb.ts";

/** The seller of every test: with letters of three alphabets. */
export const seller = create(AccountSchema, {
  accountId: "acct_1",
  name: "Kaffeerösterei Łódź & Søn GmbH",
  address: "Königstraße 12\n10117 Berlin\nGermany",
  email: "billing@kaffee.example",
});

// Late enough that it is another day in Tokyo.
const FINALIZE_TIME = timestampFromDate(new Date("2026-01-15T23:30:00Z"));

/** Fields of an invoice that a test wants otherwise. */
export type InvoiceChange = Extract<MessageInitShape<typeof InvoiceSchema>, { $typeName?: never }>;

/** Makes an open invoice of three units at 1,250 minor units a line, a discount of 50 and a tax of 190; `change` goes over it. */
export function createInvoice(change: InvoiceChange = {}, lineCount = 2): Invoice {
  const lines = Array.from({ length: lineCount }, (_, index) => ({
    description: `Espresso beans, lot ${index + 1}`,
    quantity: 3n,
    unitAmountMinor: 1_250n,
    amountMinor: 3_750n,
  }));
  const subtotalMinor = 3_750n * BigInt(lineCount);
  const usual: InvoiceChange = {
    invoiceId: "in_1",
    number: "KAFFEE-0001",
    state: InvoiceState.OPEN,
    customerId: "cus_1",
    currencyCode: "USD",
    customerDetails: {
      name: "Ελένη Παπαδοπούλου",
      address: { line1: "Οδός Ερμού 5", city: "Αθήνα", countryCode: "GR" },
    },
    lines,
    subtotalMinor,
    discountMinor: 50n,
    taxes: [{ displayName: "VAT 19%", amountMinor: 190n }],
    totalMinor: subtotalMinor + 140n,
    finalizeTime: FINALIZE_TIME,
    dueDate: { year: 2026, month: 2, day: 14 },
    footer: "Payable within 30 days.",
    description: "Your order of January.",
  };
  return create(InvoiceSchema, { ...usual, ...change });
}
