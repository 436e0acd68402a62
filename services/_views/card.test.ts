import { expect, test } from "vitest";
import { sourceView } from "./card.ts";
import { paymentMethodView } from "./payment-method.ts";
import { golden, samplePaymentMethod } from "./testing.ts";

test("a card shows as in the golden file", () => {
  expect(JSON.stringify(sourceView(samplePaymentMethod({ paymentMethodId: "card_1" })))).toBe(golden("card"));
});

test.each([
  ["visa", "Visa", "visa"],
  ["mastercard", "MasterCard", "mastercard"],
  ["amex", "American Express", "american_express"],
  ["discover", "Discover", "discover"],
  ["diners", "Diners Club", "diners_club"],
  ["jcb", "JCB", "jcb"],
  ["unionpay", "UnionPay", "union_pay"],
  ["unknown", "Unknown", "other"],
  ["constructor", "Unknown", "other"],
])("%s is a card of %s, a payment method of %s", (brand, source, display) => {
  const paymentMethod = samplePaymentMethod();
  if (paymentMethod.card !== undefined) paymentMethod.card = { ...paymentMethod.card, brand };
  expect(sourceView(paymentMethod).brand).toBe(source);
  expect(paymentMethodView(paymentMethod).card).toMatchObject({ brand, display_brand: display });
});
