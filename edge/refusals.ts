import { Code, ConnectError } from "@connectrpc/connect";
import { type Currency, findCurrency } from "../services/_runtime/currency.ts";
import { type Refusal, refusalOf } from "../services/_runtime/errors.ts";
import { invoiceAlreadyPaid, invoiceNotOpen, invoiceWords } from "./invoice-problems.ts";
import type { Mention, Mentions, Noun } from "./mentions.ts";
import { Problem } from "./problem.ts";
import {
  amountTooSmall,
  badHttp,
  cardDeclined,
  cardInvalid,
  cardNotLinked,
  fault,
  idempotencyKeyInUse,
  idempotencyKeyReused,
  keyInvalid,
  liveBankMissing,
  lockTimeout,
  refused,
  resourceMissing,
  timedOut,
  unavailable,
} from "./problems.ts";
import {
  currenciesMixed,
  lookupKeyTaken,
  paymentMethodNotCustomers,
  productExists,
  subscriptionNotEditable,
} from "./subscription-problems.ts";
import { endpointDisabled, endpointsTooMany, secretsTooMany } from "./webhook-problems.ts";

/** Turns whatever was thrown while a request was answered into its answer; what nobody foresaw is a 500. */
export function toProblem(error: unknown, mentions: Mentions = {}): Problem {
  if (error instanceof Problem) return error;
  const refusal = refusalOf(error);
  if (refusal !== undefined) return publicRefusals[refusal.reason]?.(refusal, mentions) ?? byCode(refusal.code, error);
  if (error instanceof ConnectError) return byCode(error.code, error);
  const status = statusOf(error);
  return status === undefined ? fault(error) : badHttp(status);
}

type Translate = (refusal: Refusal, mentions: Mentions) => Problem;

/** Every reason a service gives, as the public is told it. A test holds this table against the sources of the services. */
export const publicRefusals: Readonly<Record<string, Translate>> = {
  ACCOUNT_NOT_FOUND: () => keyInvalid(""),
  API_KEY_NOT_FOUND: () => keyInvalid(""),
  CAPTURE_EXCEEDS_HOLD: () =>
    refused({
      code: "amount_too_large",
      message:
        "Could not capture charge: the requested capture amount is greater than the amount you can capture for this charge.",
      param: "amount",
    }),
  // The field names the currency.
  CAPTURE_TOO_SMALL: ({ field }) => captureTooSmall(findCurrency(field)),
  CAPTURE_UNEVEN: () =>
    refused({
      code: "parameter_invalid_integer",
      message:
        "Invalid amount: the currency of this charge is charged in steps: the last two digits are 0 where it has no decimals, the last one where it has three.",
      param: "amount",
    }),
  CARD_DECLINED: ({ field }) => cardDeclined({ reason: field, responseCode: "05" }),
  CHARGE_ALREADY_CAPTURED: (_, { charge }) =>
    refused({ code: "charge_already_captured", message: `Charge ${charge?.id ?? ""} has already been captured.` }),
  CHARGE_ALREADY_RETURNED: (_, { charge }) =>
    refused({
      code: "charge_already_refunded",
      message: `Charge ${charge?.id ?? ""} has already been refunded.`,
      ...paramOf(charge),
    }),
  CHARGE_CHANGING: () => lockTimeout(),
  CHARGE_HAS_CUSTOMER: (_, { charge }) =>
    refused({ message: `Charge ${charge?.id ?? ""} already has another customer.`, param: "customer" }),
  CHARGE_NOT_CAPTURABLE: (_, { charge }) =>
    refused({ message: `Charge ${charge?.id ?? ""} has not succeeded and cannot be captured.` }),
  CHARGE_NOT_FOUND: missing("charge", "charge"),
  CHARGE_NOT_SUCCEEDED: (_, { charge }) =>
    refused({
      code: "charge_not_refundable",
      message: `Charge ${charge?.id ?? ""} has not succeeded and cannot be refunded.`,
      ...paramOf(charge),
    }),
  CURRENCIES_MIXED: () => currenciesMixed(),
  CUSTOMER_DELETED: missing("customer", "customer"),
  CUSTOMER_NOT_FOUND: missing("customer", "customer"),
  // A job of the scheduler names it, never a client.
  DELIVERY_NOT_FOUND: (_, mentions) => resourceMissing({ noun: "event", id: "", param: "id", ...mentions.event }),
  EVENT_NOT_FOUND: missing("event", "event"),
  EXPIRED_CARD: () => cardInvalid("expired_card"),
  HOLD_EXPIRED: (_, { charge }) =>
    refused({
      code: "charge_expired_for_capture",
      message: `Charge ${charge?.id ?? ""} cannot be captured: its authorization has expired.`,
    }),
  HOLD_NOT_DIVISIBLE: (_, { charge }) =>
    refused({
      message: `Charge ${charge?.id ?? ""} is not captured yet and can only be refunded whole: capture less of it instead.`,
      param: "amount",
    }),
  INCORRECT_NUMBER: () => cardInvalid("incorrect_number"),
  INVALID_CVC: () => cardInvalid("invalid_cvc"),
  INVALID_EXPIRY_MONTH: () => cardInvalid("invalid_expiry_month"),
  INVALID_EXPIRY_YEAR: () => cardInvalid("invalid_expiry_year"),
  INVALID_FIELD: ({ field }) => invalidField(field),
  INVOICE_ALREADY_PAID: () => invoiceAlreadyPaid(),
  INVOICE_ITEM_NOT_FOUND: missing("invoiceItem", "invoiceitem"),
  INVOICE_ITEM_TAKEN: () => lockTimeout(),
  INVOICE_NOT_FOUND: missing("invoice", "invoice"),
  INVOICE_PAYMENT_NOT_FOUND: missing("invoicePayment", "invoice payment"),
  INVOICE_NOT_OPEN: (_, { invoice }) => invoiceNotOpen(invoice?.id ?? ""),
  INVOICE_TEXT_TOO_LONG: () =>
    refused({
      message: "The lines of an invoice can hold at most 2 MiB of descriptions and metadata, pending items among them.",
      param: "metadata",
    }),
  ...Object.fromEntries(Object.entries(invoiceWords).map(([reason, words]) => [reason, () => refused(words)])),
  LIVE_BANK_MISSING: () => liveBankMissing(),
  LEDGER_TRANSFER_NOT_FOUND: missing("ledgerTransfer", "balance transaction"),
  LOOKUP_KEY_TAKEN: () => lookupKeyTaken(),
  METADATA_TOO_MANY_KEYS: () => refused({ message: "'metadata' can have at most 50 keys.", param: "metadata" }),
  PAYMENT_METHOD_ALREADY_ATTACHED: (_, { paymentMethod }) =>
    refused({
      message: "The payment method you provided has already been attached to a customer.",
      ...paramOf(paymentMethod),
    }),
  PAYMENT_METHOD_DETACHED: (_, { paymentMethod }) =>
    refused({
      message:
        "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, " +
        "and may not be used again.",
      ...paramOf(paymentMethod),
    }),
  PAYMENT_METHOD_NOT_ATTACHED: (_, { customer, paymentMethod }) => notAttached(customer, paymentMethod),
  PAYMENT_METHOD_NOT_FOUND: missing("paymentMethod", "PaymentMethod"),
  PRICE_NOT_FOUND: missing("price", "price"),
  PRODUCT_EXISTS: () => productExists(),
  PRODUCT_NOT_FOUND: missing("product", "product"),
  REQUEST_ID_REUSED: () => idempotencyKeyReused(),
  REQUEST_IN_PROGRESS: () => idempotencyKeyInUse(),
  RETURN_EXCEEDS_CHARGE: (_, { charge }) =>
    refused({
      message: `Refund amount is greater than unrefunded amount on charge ${charge?.id ?? ""}`,
      param: "amount",
    }),
  RETURN_NOT_FOUND: missing("return", "refund"),
  // Stripe answers as if a subscription that has ended were not there.
  SUBSCRIPTION_ENDED: missing("subscription", "subscription"),
  SUBSCRIPTION_NOT_EDITABLE: () => subscriptionNotEditable(),
  SUBSCRIPTION_NOT_FOUND: missing("subscription", "subscription"),
  TOKEN_ALREADY_USED: (_, { token }) =>
    refused({
      code: "token_already_used",
      message: `You cannot use a token more than once: ${token?.id ?? ""}.`,
      ...paramOf(token),
    }),
  TOKEN_NOT_FOUND: missing("token", "token"),
  WEBHOOK_ENDPOINTS_TOO_MANY: () => endpointsTooMany(),
  WEBHOOK_ENDPOINT_DISABLED: () => endpointDisabled(),
  WEBHOOK_ENDPOINT_NOT_FOUND: missing("webhookEndpoint", "webhook endpoint"),
  WEBHOOK_SECRETS_TOO_MANY: () => secretsTooMany(),
};

function missing(noun: Noun, words: string): Translate {
  return (_, mentions) => resourceMissing({ noun: words, id: "", param: "id", ...mentions[noun] });
}

/** A payment method that the customer does not have: an id in the path, a new default, or what a charge is to be made with. */
function notAttached(customer: Mention | undefined, paymentMethod: Mention | undefined): Problem {
  const { param } = paramOf(paymentMethod);
  if (paymentMethod === undefined || param === undefined) {
    return refused({ message: "The payment method you provided is not attached to the customer." });
  }
  const { id } = paymentMethod;
  const isCharged = customer?.param === "customer" && (param === "source" || param === "payment_method");
  if (isCharged) return cardNotLinked({ customerId: customer.id, cardId: id, param });
  return param === "source" ? resourceMissing({ noun: "source", id, param }) : paymentMethodNotCustomers(id, param);
}

function captureTooSmall(currency: Currency | undefined): Problem {
  if (currency !== undefined) return amountTooSmall(currency.minimumMinor, currency.code);
  const message = "The amount is below the minimum of the charge's currency.";
  return refused({ code: "amount_too_small", message, param: "amount" });
}

function paramOf(mention: Mention | undefined): { param?: string } {
  const isNamed = mention !== undefined && mention.param !== "id" && mention.isInPath !== true;
  return isNamed ? { param: mention.param } : {};
}

// The decoder knows the same bounds as the contracts, so this is for what it let through. "customer.phone" is `phone`.
function invalidField(field: string): Problem {
  const [first = "", ...rest] = field.split(".").slice(field.includes(".") ? 1 : 0);
  const param = first + rest.map((name) => `[${name}]`).join("");
  return refused({ message: `Invalid value for '${param}'.`, ...(param === "" ? {} : { param }) });
}

function byCode(code: Code, error: unknown): Problem {
  switch (code) {
    // Aborted: what was begun was undone, as when the database is too busy.
    case Code.Aborted:
    case Code.Unavailable:
    case Code.ResourceExhausted:
    case Code.Canceled:
      return unavailable(error);
    case Code.DeadlineExceeded:
      return timedOut(error);
    default:
      return fault(error);
  }
}

// Fastify's own errors carry the status they mean.
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("statusCode" in error) || typeof error.statusCode !== "number") return undefined;
  return error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : undefined;
}
