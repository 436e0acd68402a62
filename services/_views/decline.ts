import type { Decline } from "../../gen/tripe/billing/v1/decline_pb.ts";

/** A decline in the public API's words: what a failed charge and a card error say. */
export interface DeclineView {
  /** The error's code, and the charge's `failure_code`. */
  readonly code: string;
  /** The finer word, where `code` is "card_declined"; null where the code says it all. */
  readonly decline_code: string | null;
  /** For the cardholder; says nothing that a thief could use. */
  readonly message: string;
  /** The card's field at fault, as a card error's `param` names it; null when none is. */
  readonly param: string | null;
}

/**
 * Says why a card was declined. A reason that Stripe has no word for shows as `generic_decline` when a bank gave it, and
 * as `processing_error` when no bank answered: nobody declined then.
 */
export function declineView(decline: Pick<Decline, "reason" | "responseCode">): DeclineView {
  const { reason, responseCode } = decline;
  const known = ownCodes.get(reason);
  if (known !== undefined) return known;
  const message = messages.get(reason);
  if (message !== undefined) return { code: "card_declined", decline_code: reason, message, param: null };
  return responseCode === "" ? processingError : genericDecline;
}

/** A failed refund's `failure_reason` for the reason of its decline; "unknown" without one. */
export function refundFailureReasonOf(reason: string | undefined): string {
  if (reason === undefined || reason === "") return "unknown";
  return failureReasons.get(reason) ?? "declined";
}

const DECLINED = "Your card was declined.";

const processingError: DeclineView = {
  code: "processing_error",
  decline_code: null,
  message: "An error occurred while processing your card. Try again in a little bit.",
  param: null,
};

const genericDecline: DeclineView = {
  code: "card_declined",
  decline_code: "generic_decline",
  message: DECLINED,
  param: null,
};

// The reasons that are codes of their own, without a decline code (docs.stripe.com/testing, "Declined payments").
const ownCodes: ReadonlyMap<string, DeclineView> = new Map([
  ["expired_card", { code: "expired_card", decline_code: null, message: "Your card has expired.", param: "exp_month" }],
  [
    "incorrect_cvc",
    { code: "incorrect_cvc", decline_code: null, message: "Your card's security code is incorrect.", param: "cvc" },
  ],
  [
    "incorrect_number",
    { code: "incorrect_number", decline_code: null, message: "Your card number is incorrect.", param: "number" },
  ],
  ["processing_error", processingError],
]);

// Every other decline code of docs.stripe.com/declines/codes. The messages are those of Stripe's test cards where it has
// one for the code; the rest are in the same manner. Stripe asks that a lost, stolen or suspected card be told no more
// than a plain decline, and most codes say no more either.
const messages: ReadonlyMap<string, string> = new Map([
  ["approve_with_id", DECLINED],
  ["authentication_not_handled", "Your card was declined. This transaction requires authentication."],
  ["authentication_required", "Your card was declined. This transaction requires authentication."],
  ["call_issuer", DECLINED],
  ["card_not_supported", "Your card is not supported."],
  [
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
  ],
  ["currency_not_supported", "Your card does not support this currency."],
  ["do_not_honor", DECLINED],
  ["do_not_try_again", DECLINED],
  ["duplicate_transaction", "A payment with an identical amount and card was submitted very recently."],
  ["fraudulent", DECLINED],
  ["generic_decline", DECLINED],
  ["incorrect_address", "Your card's address is incorrect."],
  ["incorrect_pin", "Your card's PIN is incorrect."],
  ["incorrect_zip", "Your card's zip code failed validation."],
  ["insufficient_funds", "Your card has insufficient funds."],
  ["invalid_account", "Invalid account."],
  ["invalid_amount", "Invalid amount."],
  ["invalid_cvc", "Your card's security code is invalid."],
  ["invalid_expiry_month", "Your card's expiration month is invalid."],
  ["invalid_expiry_year", "Your card's expiration year is invalid."],
  ["invalid_number", "Your card number is invalid."],
  ["invalid_pin", "Your card's PIN is incorrect."],
  ["issuer_not_available", DECLINED],
  ["lost_card", DECLINED],
  ["merchant_blacklist", DECLINED],
  ["new_account_information_available", DECLINED],
  ["no_action_taken", DECLINED],
  ["not_permitted", DECLINED],
  ["offline_pin_required", "Your card was declined because it requires a PIN."],
  ["online_or_offline_pin_required", "Your card was declined because it requires a PIN."],
  ["pickup_card", DECLINED],
  ["pin_try_exceeded", "You have exceeded the allowable number of PIN tries."],
  ["reenter_transaction", DECLINED],
  ["restricted_card", DECLINED],
  ["revocation_of_all_authorizations", DECLINED],
  ["revocation_of_authorization", DECLINED],
  ["security_violation", DECLINED],
  ["service_not_allowed", DECLINED],
  ["stolen_card", DECLINED],
  ["stop_payment_order", DECLINED],
  ["testmode_decline", "Your card was declined. Your request was in live mode, but used a known test card."],
  ["transaction_not_allowed", "Your card does not support this type of purchase."],
  ["try_again_later", DECLINED],
  ["withdrawal_count_limit_exceeded", DECLINED],
]);

// The values of `failure_reason` in the SDK's types that a card's bank can be the cause of.
const failureReasons: ReadonlyMap<string, string> = new Map([
  ["expired_card", "expired_or_canceled_card"],
  ["insufficient_funds", "insufficient_funds"],
  ["invalid_account", "expired_or_canceled_card"],
  ["lost_card", "lost_or_stolen_card"],
  ["pickup_card", "lost_or_stolen_card"],
  ["stolen_card", "lost_or_stolen_card"],
]);
