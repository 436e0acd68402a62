import type Stripe from "stripe";
import type { PaymentMethod } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { addressView } from "./address.ts";
import { sourceBrandOf } from "./brand.ts";
import { checksView } from "./checks.ts";
import { metadataOf, textOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What of a payment method the older card object is made of; a charge holds enough of it to show its own. */
export type Source = Pick<PaymentMethod, "paymentMethodId" | "customerId" | "card" | "billingDetails" | "metadata">;

/** Shows a payment method as the older face of the API does: a "card" object. Its customer is never expanded. */
export function sourceView(source: Source): Wire<Stripe.Card> {
  const { card, billingDetails } = source;
  assert(card !== undefined, "a payment method has a card");
  const address = addressView(billingDetails?.address);
  const checks = checksView(card, billingDetails?.address);
  return {
    id: source.paymentMethodId,
    object: "card",
    address_city: address.city,
    address_country: address.country,
    address_line1: address.line1,
    address_line1_check: checks.address_line1_check,
    address_line2: address.line2,
    address_state: address.state,
    address_zip: address.postal_code,
    address_zip_check: checks.address_postal_code_check,
    brand: sourceBrandOf(card.brand),
    country: textOrNull(card.countryCode),
    customer: textOrNull(source.customerId),
    cvc_check: checks.cvc_check,
    dynamic_last4: null,
    exp_month: card.expMonth,
    exp_year: card.expYear,
    fingerprint: textOrNull(card.fingerprint),
    funding: card.funding,
    last4: card.last4,
    metadata: metadataOf(source.metadata),
    name: textOrNull(billingDetails?.name ?? ""),
    // Tripe does not know which issuers fall under a regulation of fees.
    regulated_status: null,
    tokenization_method: null,
  };
}
