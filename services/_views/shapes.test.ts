import { expect, test } from "vitest";
import { sourceView } from "./card.ts";
import { chargeView } from "./charge.ts";
import { customerView } from "./customer.ts";
import { deletedView } from "./deleted.ts";
import { invoiceView } from "./invoice.ts";
import { invoiceItemView } from "./invoice-item.ts";
import { invoiceLineView } from "./invoice-line.ts";
import { invoicePaymentView } from "./invoice-payment.ts";
import { ledgerTransferView } from "./ledger-transfer.ts";
import { listView } from "./list.ts";
import { paymentMethodView } from "./payment-method.ts";
import { planView, priceView } from "./price.ts";
import { productView } from "./product.ts";
import { returnView } from "./return.ts";
import { subscriptionView } from "./subscription.ts";
import { subscriptionItemView } from "./subscription-item.ts";
import {
  sampleCharge,
  sampleCustomer,
  sampleLedgerTransfer,
  samplePaymentMethod,
  sampleReturn,
  sampleToken,
} from "./testing.ts";
import {
  sampleInvoice,
  sampleInvoiceItem,
  sampleInvoiceLine,
  sampleInvoicePayment,
  samplePrice,
  sampleProduct,
  sampleSubscription,
} from "./testing-billing.ts";
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
  [
    "product",
    productView(sampleProduct()),
    `id object active name description metadata default_price images marketing_features created updated livemode type
     url`,
  ],
  [
    "price",
    priceView(samplePrice()),
    `id object active currency unit_amount unit_amount_decimal type recurring.interval recurring.interval_count
     recurring.usage_type recurring.meter recurring.trial_period_days product billing_scheme lookup_key nickname
     metadata tax_behavior created livemode`,
  ],
  ["plan", planView(samplePrice()), "id object amount currency interval interval_count product nickname usage_type"],
  [
    "invoice",
    invoiceView(sampleInvoice()),
    `id object number status customer customer_email customer_name currency created period_start period_end
     collection_method auto_advance billing_reason amount_due amount_paid amount_remaining amount_overpaid subtotal total
     starting_balance ending_balance attempt_count attempted due_date next_payment_attempt description metadata
     default_payment_method lines.object lines.data lines.has_more lines.url parent.type
     parent.subscription_details.subscription parent.subscription_details.metadata status_transitions.finalized_at
     status_transitions.marked_uncollectible_at status_transitions.paid_at status_transitions.voided_at
     hosted_invoice_url invoice_pdf payment_settings automatic_tax.enabled issuer.type discounts default_tax_rates
     total_taxes total_discount_amounts paid paid_out_of_band charge subscription payment_intent tax`,
  ],
  [
    "invoice line",
    invoiceLineView(sampleInvoiceLine(), sampleInvoice()),
    `id object amount subtotal currency description quantity quantity_decimal period.start period.end pricing.type
     pricing.price_details.price pricing.price_details.product pricing.unit_amount_decimal parent.type
     parent.subscription_item_details.subscription_item invoice subscription metadata taxes discounts discount_amounts
     discountable livemode pretax_credit_amounts price.id price.product price.unit_amount plan.id plan.amount proration
     type subscription_item`,
  ],
  [
    "invoice item",
    invoiceItemView(sampleInvoiceItem()),
    `id object amount currency customer date description discountable invoice livemode metadata period.start period.end
     pricing.price_details.price proration quantity quantity_decimal tax_rates price.id unit_amount`,
  ],
  [
    "invoice payment",
    invoicePaymentView(sampleInvoicePayment()),
    `id object status amount_paid amount_requested currency invoice is_default payment.type payment.charge
     status_transitions.canceled_at status_transitions.paid_at created livemode`,
  ],
  [
    "subscription",
    subscriptionView(sampleSubscription()),
    `id object status customer currency created start_date billing_cycle_anchor collection_method days_until_due
     cancel_at cancel_at_period_end canceled_at ended_at cancellation_details.reason trial_start trial_end items.object
     items.data items.has_more items.url latest_invoice default_payment_method metadata description discounts
     pause_collection pending_update schedule billing_mode.type automatic_tax.enabled payment_settings livemode
     current_period_start current_period_end plan.id quantity`,
  ],
  [
    "subscription item",
    itemView(),
    `id object subscription price.id plan.id quantity metadata created current_period_start current_period_end discounts
     tax_rates billing_thresholds current_trial`,
  ],
  ["list", listView({ url: "/v1/charges", data: [], hasMore: true }), "object url has_more data"],
  ["deleted customer", deletedView("cus_1", "customer"), "id object deleted"],
];

function itemView() {
  const subscription = sampleSubscription();
  const [item] = subscription.items;
  if (item === undefined) throw new Error("the sample has an item");
  return subscriptionItemView(item, subscription);
}

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
