import type Stripe from "stripe";
import { type Charge, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { checksView } from "./checks.ts";
import { amountOf, secondsOf, textOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/**
 * Shows the card of a charge as `payment_method_details.card` does: as it was when it was charged. What Tripe's banks
 * cannot do (more than was authorized, many captures, instalments, 3-D Secure) is unavailable or null.
 */
export function chargeCardView(charge: Charge, amountMinor: bigint): Wire<Stripe.Charge.PaymentMethodDetails.Card> {
  const { card } = charge;
  assert(card !== undefined, "a charge has a card");
  return {
    amount_authorized: charge.state === ChargeState.SUCCEEDED ? amountOf(amountMinor) : null,
    authorization_code: textOrNull(charge.authorizationCode),
    brand: card.brand,
    ...(isOpen(charge) ? { capture_before: secondsOf(charge.captureBeforeTime) } : {}),
    checks: checksView(card, charge.billingDetails?.address),
    country: textOrNull(card.countryCode),
    electronic_commerce_indicator: null,
    exp_month: card.expMonth,
    exp_year: card.expYear,
    extended_authorization: { status: "disabled" },
    fingerprint: textOrNull(card.fingerprint),
    funding: card.funding,
    incremental_authorization: { status: "unavailable" },
    installments: null,
    last4: card.last4,
    mandate: null,
    multicapture: { status: "unavailable" },
    network: card.brand,
    network_token: { used: false },
    network_transaction_id: null,
    overcapture: { maximum_amount_capturable: amountOf(amountMinor), status: "unavailable" },
    regulated_status: null,
    three_d_secure: null,
    transaction_link_id: null,
    wallet: null,
  };
}

/** Only what is held and neither captured nor let go has a time until which it can be captured. */
function isOpen({ capturedMinor, captureBeforeTime, releaseTime }: Charge): boolean {
  return captureBeforeTime !== undefined && releaseTime === undefined && capturedMinor === 0n;
}
