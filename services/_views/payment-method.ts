import type Stripe from "stripe";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import type { Card, PaymentMethod } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { billingDetailsView } from "./address.ts";
import { displayBrandOf } from "./brand.ts";
import { type ChecksView, checksView } from "./checks.ts";
import { customerView } from "./customer.ts";
import { expandable } from "./expandable.ts";
import { metadataOf, secondsOf, textOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What of a payment method was asked to be shown whole; a deleted customer has no payment methods left to show. */
export interface PaymentMethodExpansions {
  readonly customer?: Customer | undefined;
}

/** Shows a payment method. */
export function paymentMethodView(
  paymentMethod: PaymentMethod,
  expansions: PaymentMethodExpansions = {},
): Wire<Stripe.PaymentMethod> {
  const { card, billingDetails } = paymentMethod;
  assert(card !== undefined, "a payment method has a card");
  return {
    id: paymentMethod.paymentMethodId,
    object: "payment_method",
    allow_redisplay: "unspecified",
    billing_details: billingDetailsView(billingDetails),
    card: cardView(card, checksView(card, billingDetails?.address)),
    created: secondsOf(paymentMethod.createTime),
    customer: expandable(paymentMethod.customerId, expansions.customer, customerView),
    customer_account: null,
    livemode: paymentMethod.isLive,
    metadata: metadataOf(paymentMethod.metadata),
    type: "card",
  };
}

function cardView(card: Card, checks: ChecksView): Wire<Stripe.PaymentMethod.Card> {
  return {
    brand: card.brand,
    checks,
    country: textOrNull(card.countryCode),
    display_brand: displayBrandOf(card.brand),
    exp_month: card.expMonth,
    exp_year: card.expYear,
    fingerprint: textOrNull(card.fingerprint),
    funding: card.funding,
    generated_from: null,
    last4: card.last4,
    networks: { available: [card.brand], preferred: null },
    // Tripe does not know which issuers fall under a regulation of fees.
    regulated_status: null,
    // Tripe offers no 3-D Secure yet, so no card can use it here.
    three_d_secure_usage: { supported: false },
    wallet: null,
  };
}
