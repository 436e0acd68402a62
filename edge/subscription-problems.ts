import { excerpt, invalid, type Problem } from "./problem.ts";

// Public words about what products, prices and subscriptions stand against: Stripe's, since programs match them.

/** A lookup key that another price has. */
export function lookupKeyTaken(): Problem {
  const message =
    "A price already uses that lookup key. To move it to this price, send `transfer_lookup_key=true` with your request.";
  return invalid({ message, param: "lookup_key" });
}

/** An own id that another product has. */
export function productExists(): Problem {
  return invalid({ code: "resource_already_exists", message: "Product already exists.", param: "id" });
}

/** A price that is not to be sold anew. */
export function priceInactive(param: string): Problem {
  const message = "The price specified is inactive. This field only accepts active prices.";
  return invalid({ message, param });
}

/** A one-off price where a subscription needs one that repeats. */
export function priceNotRecurring(param: string): Problem {
  const message =
    "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.";
  return invalid({ message, param });
}

/** A price in another currency than the subscription's. */
export function priceCurrencyMismatch({ param, currency, expected }: Record<string, string>): Problem {
  const message = `The price specified only supports \`${currency}\`. This doesn't match the expected currency: \`${expected}\`.`;
  return invalid({ message, ...(param === undefined ? {} : { param }) });
}

/** Prices that repeat at different times. */
export function priceIntervalMismatch(param: string): Problem {
  const message =
    "Currency and interval fields must match across all plans on this subscription. Found mismatch in interval field.";
  return invalid({ message, param });
}

/** One price for two items of a subscription, whose quantity would say the same. */
export function priceTwice(priceId: string, param: string): Problem {
  return invalid({ message: `Cannot add multiple subscription items with the same plan: ${priceId}`, param });
}

/** A subscription in another currency than another one that the customer has. */
export function currenciesMixed(): Problem {
  const message =
    "You cannot combine currencies on a single customer. This customer has a subscription in another currency, which has " +
    "not ended.";
  return invalid({ message, param: "currency" });
}

/** A subscription to be charged by itself, of a customer with nothing to charge. */
export function paymentMethodMissing(): Problem {
  const message =
    "This customer has no attached payment source or default payment method. Please consider adding a default payment " +
    "method, or set `collection_method` to `send_invoice`.";
  return invalid({ code: "resource_missing", message });
}

/** A payment method that is not this customer's. */
export function paymentMethodNotCustomers(paymentMethodId: string, param = "default_payment_method"): Problem {
  const message =
    `The customer does not have a payment method with the ID ${excerpt(paymentMethodId)}. The payment method must be ` +
    "attached to the customer.";
  return invalid({ code: "resource_missing", message, param });
}

/** A mailed invoice without a day when it is due. */
export function daysUntilDueMissing(): Problem {
  const message =
    "If a subscription is set to `send_invoice`, you must also specify the number of days until an invoice is due " +
    "using `days_until_due`.";
  return invalid({ code: "parameter_missing", message, param: "days_until_due" });
}

/** A day when invoices are due, of a subscription that is charged by itself. */
export function daysUntilDueNotAllowed(): Problem {
  const message = "`days_until_due` can only be specified if `collection_method` is `send_invoice`.";
  return invalid({ message, param: "days_until_due" });
}

/** A change of a subscription that has ended, beside its metadata. */
export function subscriptionNotEditable(): Problem {
  return invalid({ message: "A canceled subscription can only update its cancellation_details and metadata." });
}

/** A trial that would have ended before it began. */
export function trialEndPast(): Problem {
  return invalid({ message: "Invalid timestamp: must be an integer Unix timestamp in the future", param: "trial_end" });
}

/** A trial that is too long. */
export function trialEndTooFar(daysMax: number): Problem {
  return invalid({ message: `Invalid trial_end: a trial has at most ${daysMax} days.`, param: "trial_end" });
}

/** A number that is not whole where Tripe keeps whole minor units. */
export function decimalNotWhole(param: string): Problem {
  const message = `Invalid value for '${param}': Tripe keeps prices in whole minor units, without a fraction of one.`;
  return invalid({ message, param });
}
