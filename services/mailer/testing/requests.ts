import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { AccountSchema } from "../../../gen/tripe/billing/v1/account_pb.ts";
import { ChargeSchema, ChargeState } from "../../../gen/tripe/billing/v1/charge_pb.ts";
import { InvoiceSchema, InvoiceState } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { CheckResult } from "../../../gen/tripe/billing/v1/payment_method_pb.ts";
import { ReturnSchema, ReturnState } from "../../../gen/tripe/billing/v1/return_pb.ts";
import {
  SendInvoiceRequestSchema,
  SendReceiptRequestSchema,
  SendReturnNoticeRequestSchema,
} from "../../../gen/tripe/mailer/v1/mailer_service_pb.ts";

const time = timestampFromDate(new Date("2026-01-15T10:00:00Z"));
const recipients = ["ann@example.com"];

/** The seller of every test. */
export const seller = create(AccountSchema, {
  accountId: "acct_1",
  name: "Kaffeerösterei Łódź",
  email: "billing@kaffee.example",
});

/** Makes a request for the receipt of a charge of $12.50. */
export function receiptRequest() {
  const charge = create(ChargeSchema, {
    chargeId: "ch_1",
    amount: { amountMinor: 1_250n, currencyCode: "USD" },
    capturedMinor: 1_250n,
    state: ChargeState.SUCCEEDED,
    card: { brand: "visa", last4: "4242", expMonth: 12, expYear: 2034, cvcCheck: CheckResult.PASS },
    description: "Espresso beans",
    settleTime: time,
  });
  return create(SendReceiptRequestSchema, {
    accountId: "acct_1",
    requestId: "ch_1/receipt",
    seller,
    charge,
    recipients,
  });
}

/** Makes a request for the notice of a return of $5.00 of that charge. */
export function returnNoticeRequest() {
  const { charge } = receiptRequest();
  const record = create(ReturnSchema, {
    returnId: "re_1",
    chargeId: "ch_1",
    amount: { amountMinor: 500n, currencyCode: "USD" },
    state: ReturnState.SUCCEEDED,
    settleTime: time,
  });
  const request = { accountId: "acct_1", requestId: "re_1/notice", seller, ...(charge && { charge }), return: record };
  return create(SendReturnNoticeRequestSchema, { ...request, recipients });
}

/** Makes a request to mail an open invoice of €60.00. */
export function invoiceRequest() {
  const invoice = create(InvoiceSchema, {
    number: "KAFFEE-0001",
    state: InvoiceState.OPEN,
    currencyCode: "EUR",
    totalMinor: 6_000n,
    finalizeTime: time,
    dueDate: { year: 2026, month: 2, day: 14 },
  });
  return create(SendInvoiceRequestSchema, {
    accountId: "acct_1",
    requestId: "in_1/sent/1",
    seller,
    invoice,
    pdf: new TextEncoder().encode("%PDF-1.3 not much of one\n%%EOF"),
    recipients,
    url: "https://pay.example/in_1?a=1&b=2",
  });
}
