import { expect, test } from "vitest";
import { InvoicePaymentState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { chargeView } from "./charge.ts";
import { invoiceView } from "./invoice.ts";
import { invoicePaymentView } from "./invoice-payment.ts";
import { golden, sampleCharge } from "./testing.ts";
import { sampleInvoice, sampleInvoicePayment } from "./testing-billing.ts";

test("a payment by a charge shows as in the golden file", () => {
  expect(JSON.stringify(invoicePaymentView(sampleInvoicePayment()))).toBe(golden("invoice-payment"));
});

test.each([
  [InvoicePaymentState.OPEN, "open"],
  [InvoicePaymentState.CANCELED, "canceled"],
])("a payment in state %i is %s, and has paid nothing", (state, status) => {
  const { payTime: _, ...payment } = sampleInvoicePayment({ state });
  expect(invoicePaymentView(payment)).toMatchObject({
    status,
    amount_paid: null,
    amount_requested: 2280,
    status_transitions: { paid_at: null },
  });
});

test("a payment out of band is by no charge", () => {
  const view = invoicePaymentView(sampleInvoicePayment({ chargeId: "" }));
  expect(view.payment).toEqual({ type: "payment_record" });
  expect(view.amount_paid).toBe(2280);
});

test("its invoice and its charge are expanded when they were asked for", () => {
  const view = invoicePaymentView(sampleInvoicePayment(), {
    invoice: sampleInvoice(),
    "payment.charge": sampleCharge(),
  });
  expect(view.invoice).toEqual(invoiceView(sampleInvoice()));
  expect(view.payment).toEqual({ charge: chargeView(sampleCharge()), type: "charge" });
});
