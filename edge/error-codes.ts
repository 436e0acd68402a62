/** What every code of an error means and what to do about it. The type of `PublicError.code` and the page /docs/errors are made from it. */
export const errorCodes = {
  amount_too_large: "The amount is above the most that can be charged or captured. Charge less, or in several parts.",
  amount_too_small: "The amount is below the least that can be charged in its currency. Charge more.",
  api_key_expired: "The API key has ended or was revoked. Use one that is active; npm run keys makes another.",
  card_declined: "The bank declined the card. decline_code says why; ask the cardholder for another card.",
  charge_already_captured: "The charge was captured before. A part that was not captured then is released.",
  charge_already_refunded: "All of the charge was given back before.",
  charge_expired_for_capture: "The authorization has expired or was released. Charge the card again.",
  charge_not_refundable: "The charge has not succeeded: there is nothing to give back.",
  email_invalid: "The text is not an email address that mail can be sent to.",
  expired_card: "The card has expired. Ask the cardholder for another card, or for its new date.",
  idempotency_key_in_use: "A request with the same Idempotency-Key is under way. Send this one again in a moment.",
  incorrect_cvc: "The bank says that the security code is wrong. Ask the cardholder for it again.",
  incorrect_number: "The card number is wrong. Ask the cardholder for it again.",
  invalid_cvc: "The security code has the wrong form: three digits, four for American Express.",
  invalid_expiry_month: "The month of expiry is not one of 1 to 12.",
  invalid_expiry_year: "The year of expiry is past, or too far away.",
  invoice_not_editable: "The invoice is finalized. Only a draft can be changed or deleted.",
  lock_timeout: "Another request is changing the object. Nothing has happened; send the request again.",
  missing: "The customer has no card, or not this one. Attach the card to the customer, or name another.",
  parameter_invalid_empty: "The parameter cannot be unset. Leave it out, or give a value.",
  parameter_invalid_integer: "The value is not a whole number within the bounds that the message names.",
  parameter_missing: "A parameter that is needed was not given. param names it.",
  parameter_unknown: "Tripe does not know the parameter, or does not carry it out. /openapi.json lists what there is.",
  parameters_exclusive: "Two parameters were given of which one excludes the other. Leave one out.",
  processing_error: "The bank did not answer, or could not process the card. Try again in a little while.",
  rate_limit: "Too many requests at once, or too many wrong keys or cards. Wait, and send the request again.",
  resource_already_exists: "An object with the given id exists already. Choose another id.",
  resource_missing:
    "The account has no object with this id. A sandbox key does not see live objects, nor the other way round.",
  token_already_used: "A token pays or is attached once. Make another, or keep the card with a customer.",
  url_invalid: "The URL is not one that events can be posted to: http or https, public, without a password.",
} as const;

/** A code of an error. */
export type ErrorCode = keyof typeof errorCodes;
