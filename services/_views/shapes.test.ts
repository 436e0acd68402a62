import { expect, test } from "vitest";
import { sourceView } from "./card.ts";
import { chargeView } from "./charge.ts";
import { customerView } from "./customer.ts";
import { deletedView } from "./deleted.ts";
import { ledgerTransferView } from "./ledger-transfer.ts";
import { listView } from "./list.ts";
import { paymentMethodView } from "./payment-method.ts";
import { returnView } from "./return.ts";
import {
  sampleCharge,
  sampleCustomer,
  sampleLedgerTransfer,
  samplePaymentMethod,
  sampleReturn,
  sampleToken,
} from "./testing.ts";
import { tokenView } from "./token.ts";
import type { Wire } from "./wire.ts";

/** What typical programs read of each object, as paths; every one must be there, if only as null. */
const read: [string, object, string][] = [
  [
    "customer",
    customerView(sampleCustomer()),
    `id object created livemode email name phone description metadata address balance currency default_source delinquent
     invoice_settings.default_payment_method invoice_settings.custom_fields invoice_settings.footer
     invoice_settings.rendering_options invoice_prefix preferred_locales shipping tax_exempt discount`,
  ],
  [
    "charge",
    chargeView(sampleCharge()),
    `id object amount amount_captured amount_refunded currency created livemode status paid captured refunded disputed
     customer description metadata source payment_intent payment_method payment_method_details.type
     payment_method_details.card.brand payment_method_details.card.last4 payment_method_details.card.exp_month
     payment_method_details.card.exp_year payment_method_details.card.funding payment_method_details.card.country
     payment_method_details.card.network payment_method_details.card.checks billing_details.address
     billing_details.email billing_details.name billing_details.phone billing_details.tax_id outcome.network_status
     outcome.reason outcome.risk_level outcome.seller_message outcome.type balance_transaction failure_code
     failure_message receipt_email receipt_url statement_descriptor statement_descriptor_suffix
     calculated_statement_descriptor`,
  ],
  [
    "refund",
    returnView(sampleReturn()),
    `id object amount currency created charge payment_intent status reason metadata balance_transaction receipt_number
     destination_details`,
  ],
  ["token", tokenView(sampleToken()), "id object type card.id card.object used created livemode client_ip"],
  [
    "card",
    sourceView(samplePaymentMethod()),
    `id object brand last4 exp_month exp_year funding country fingerprint cvc_check address_city address_country
     address_line1 address_line1_check address_line2 address_state address_zip address_zip_check name metadata customer
     dynamic_last4 tokenization_method regulated_status`,
  ],
  [
    "payment_method",
    paymentMethodView(samplePaymentMethod()),
    `id object type billing_details.address card.brand card.last4 card.exp_month card.exp_year card.funding card.country
     card.fingerprint card.checks card.networks card.three_d_secure_usage card.wallet customer created livemode
     metadata`,
  ],
  ["balance_transaction", ledgerTransferView(sampleLedgerTransfer()), "id object amount fee net status type source"],
  ["list", listView({ url: "/v1/charges", data: [], hasMore: true }), "object url has_more data"],
  ["deleted customer", deletedView("cus_1", "customer"), "id object deleted"],
];

test.each(read)("a %s has every key that programs read", (_name, view, paths) => {
  for (const path of paths.split(/\s+/)) expect(view, path).toHaveProperty(path.split("."));
});

test.each(read)("a %s begins with its id and object, and its other keys are in order", (name, view) => {
  if (name === "list" || name === "deleted customer") return;
  const [first, second, ...others] = Object.keys(view);
  expect([first, second]).toEqual(["id", "object"]);
  expect(others).toEqual([...others].sort());
});

test("a list is the object, the data, whether more follow, and where", () => {
  expect(JSON.stringify(listView({ url: "/v1/charges", data: [1], hasMore: false }))).toBe(
    '{"object":"list","data":[1],"has_more":false,"url":"/v1/charges"}',
  );
});

test("a decimal of the SDK's types is text on the wire, however deep", () => {
  // Checked by the compiler: a number, or a Decimal object, would not compile here.
  const decimal: Wire<import("stripe").Stripe.Price>["unit_amount_decimal"] = "1000";
  const deep: Wire<import("stripe").Stripe.Price.Tier[]>[number]["unit_amount_decimal"] = "0.5";
  expect([decimal, deep]).toEqual(["1000", "0.5"]);
});
