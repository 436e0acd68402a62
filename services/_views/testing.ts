import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Charge, ChargeSchema, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { type Customer, CustomerSchema } from "../../gen/tripe/billing/v1/customer_pb.ts";
import { DeclineSchema } from "../../gen/tripe/billing/v1/decline_pb.ts";
import { type LedgerTransfer, LedgerTransferKind, LedgerTransferSchema } from "../../gen/tripe/billing/v1/ledger_pb.ts";
import {
  CheckResult,
  type PaymentMethod,
  PaymentMethodSchema,
  type Token,
  TokenSchema,
} from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { type Return, ReturnSchema, ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";

/**
 * The bytes that a view of a sample must have: `goldens/<name>.json`, which no test ever writes, so
 * that every change of the public JSON shows in a review.
 */
export function golden(name: string): string {
  const text = readFileSync(new URL(`goldens/${name}.json`, import.meta.url), "utf8");
  return JSON.stringify(JSON.parse(text));
}

// 2026-01-01T00:00:00Z, where test clocks start, and a moment inside a second, which the wire must not show.
const createTime = timestampFromMs(Date.UTC(2026, 0, 1) + 999);

const address = { line1: "1 Rue", city: "Paris", postalCode: "75001", countryCode: "FR" };

const billingDetails = { address, email: "a@example.com", name: "Ann É", phone: "+33 1" };

const shipping = { address, name: "Ann É", phone: "", carrier: "Post", trackingNumber: "RR 1" };

const card = {
  brand: "visa",
  last4: "4242",
  expMonth: 12,
  expYear: 2034,
  funding: "credit",
  countryCode: "US",
  fingerprint: "fp_1",
  cvcCheck: CheckResult.PASS,
};

/** Makes a customer with every field set, but for what is given. */
export function sampleCustomer(given: Partial<Customer> = {}): Customer {
  const sample = create(CustomerSchema, {
    customerId: "cus_1",
    email: "a@example.com",
    name: "Ann É",
    phone: "+33 1",
    description: "first",
    address,
    shipping,
    metadata: { order: "6735" },
    defaultPaymentMethodId: "pm_1",
    invoicePrefix: "ANN",
    preferredLocales: ["fr", "en"],
    testClockId: "clock_1",
    createTime,
  });
  return { ...sample, ...given };
}

/** Makes a payment method with every field set, but for what is given. */
export function samplePaymentMethod(given: Partial<PaymentMethod> = {}): PaymentMethod {
  const sample = create(PaymentMethodSchema, {
    paymentMethodId: "pm_1",
    customerId: "cus_1",
    card,
    billingDetails,
    metadata: { b: "2", a: "1" },
    createTime,
  });
  return { ...sample, ...given };
}

/** Makes an unused token with every field set, but for what is given. */
export function sampleToken(given: Partial<Token> = {}): Token {
  const paymentMethod = samplePaymentMethod({ paymentMethodId: "card_1", customerId: "" });
  return { ...create(TokenSchema, { tokenId: "tok_1", paymentMethod, createTime }), ...given };
}

/** Makes a succeeded charge of $20.00 by a source, $5.00 of it returned, with every field set, but for what is given. */
export function sampleCharge(given: Partial<Charge> = {}): Charge {
  const sample = create(ChargeSchema, {
    chargeId: "ch_1",
    amount: { amountMinor: 2000n, currencyCode: "USD" },
    capturedMinor: 2000n,
    returnedMinor: 500n,
    state: ChargeState.SUCCEEDED,
    customerId: "cus_1",
    paymentMethodId: "card_1",
    card,
    billingDetails,
    description: "a book",
    metadata: { order: "6735" },
    receiptEmail: "a@example.com",
    statementDescriptor: "BOOKS",
    statementDescriptorSuffix: "1",
    transferGroup: "group",
    shipping,
    authorizationCode: "A1B2C3",
    ledgerTransferId: "txn_1",
    createTime,
    settleTime: createTime,
    isFromSource: true,
  });
  return { ...sample, ...given };
}

/** Makes a failed charge of $20.00 that a bank declined for the given reason. */
export function sampleDeclinedCharge(reason: string, responseCode: string): Charge {
  return sampleCharge({
    capturedMinor: 0n,
    returnedMinor: 0n,
    state: ChargeState.FAILED,
    decline: create(DeclineSchema, { reason, responseCode }),
    authorizationCode: "",
    ledgerTransferId: "",
  });
}

/** Makes a succeeded return of $5.00, with every field set, but for what is given. */
export function sampleReturn(given: Partial<Return> = {}): Return {
  const sample = create(ReturnSchema, {
    returnId: "re_1",
    chargeId: "ch_1",
    amount: { amountMinor: 500n, currencyCode: "USD" },
    state: ReturnState.SUCCEEDED,
    reason: "requested_by_customer",
    metadata: { a: "1" },
    ledgerTransferId: "txn_2",
    networkReference: "123456789012",
    createTime,
    settleTime: createTime,
  });
  return { ...sample, ...given };
}

/** Makes the booking of the sample charge with a fee of $0.88, but for what is given. */
export function sampleLedgerTransfer(given: Partial<LedgerTransfer> = {}): LedgerTransfer {
  const sample = create(LedgerTransferSchema, {
    ledgerTransferId: "txn_1",
    kind: LedgerTransferKind.CHARGE,
    chargeId: "ch_1",
    grossMinor: 2000n,
    feeMinor: 88n,
    currencyCode: "USD",
    createTime,
  });
  return { ...sample, ...given };
}
