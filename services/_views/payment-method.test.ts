import { expect, test } from "vitest";
import { CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { customerView } from "./customer.ts";
import { paymentMethodView } from "./payment-method.ts";
import { golden, sampleCustomer, samplePaymentMethod } from "./testing.ts";

test("a payment method shows as in the golden file", () => {
  expect(JSON.stringify(paymentMethodView(samplePaymentMethod()))).toBe(golden("payment-method"));
});

test.each([
  [CheckResult.PASS, "pass"],
  [CheckResult.FAIL, "fail"],
  [CheckResult.UNAVAILABLE, "unavailable"],
  [CheckResult.UNCHECKED, "unchecked"],
  [CheckResult.UNSPECIFIED, null],
])("a CVC check of %s shows as %s", (cvcCheck, word) => {
  const paymentMethod = samplePaymentMethod();
  if (paymentMethod.card !== undefined) paymentMethod.card = { ...paymentMethod.card, cvcCheck };
  expect(paymentMethodView(paymentMethod).card?.checks?.cvc_check).toBe(word);
});

test("a payment method without billing details has an address of nulls, and no check of it", () => {
  const { billingDetails: _, ...paymentMethod } = samplePaymentMethod();
  const view = paymentMethodView(paymentMethod);
  expect(view.billing_details).toMatchObject({ address: { line1: null, postal_code: null }, email: null, name: null });
  expect(view.card?.checks).toEqual({
    address_line1_check: null,
    address_postal_code_check: null,
    cvc_check: "pass",
  });
});

test("its customer is an id, null, or whole", () => {
  const customer = sampleCustomer();
  expect(paymentMethodView(samplePaymentMethod()).customer).toBe("cus_1");
  expect(paymentMethodView(samplePaymentMethod({ customerId: "" })).customer).toBe(null);
  expect(paymentMethodView(samplePaymentMethod(), { customer }).customer).toEqual(customerView(customer));
});
