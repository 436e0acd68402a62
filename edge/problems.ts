import { findCurrency } from "../services/_runtime/currency.ts";
import { formatMoney } from "../services/_runtime/money.ts";
import { declineView } from "../services/_views/decline.ts";
import { excerpt, invalid, Problem } from "./problem.ts";

// The only place where public words about failures are made (8-style.md, 22), with parameter-problems.ts beside it. Words
// and codes are Stripe's, since programs match them; 5-public-api.md lists both.

/** Paths that cannot be expanded here. */
export function expandInvalid(path: string): Problem {
  const message = `This property cannot be expanded (${excerpt(path)}). You may want to try expanding another one.`;
  return invalid({ param: "expand", message });
}

/** An id that names nothing: 404 when it stood in the path (param `id`, if no other is named), 400 when a parameter held it. */
export function resourceMissing({
  noun,
  id,
  param,
  isInPath = param === "id",
}: {
  noun: string;
  id: string;
  param: string;
  isInPath?: boolean;
}): Problem {
  const message = `No such ${noun}: '${excerpt(id)}'`;
  const status = isInPath ? 404 : 400;
  return new Problem(status, { type: "invalid_request_error", code: "resource_missing", message, param });
}

/** No API key, or an Authorization header that holds none. */
export function keyMissing(): Problem {
  const message =
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth " +
    "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY') or as the user name of Basic auth.";
  return new Problem(
    401,
    { type: "invalid_request_error", message },
    { headers: { "www-authenticate": 'Bearer realm="Tripe"' } },
  );
}

/** A key that is nobody's; only its kind and its last four characters are repeated. */
export function keyInvalid(key: string): Problem {
  const kind = /^(?:sk|pk|rk)_(?:test|live)_/.exec(key)?.[0] ?? "";
  const message = `Invalid API Key provided: ${kind}***${key.length > 12 ? key.slice(-4) : ""}`;
  return new Problem(
    401,
    { type: "invalid_request_error", message },
    { headers: { "www-authenticate": 'Bearer realm="Tripe"' } },
  );
}

/** A key that has ended. */
export function keyExpired(): Problem {
  const message = "Expired API Key provided.";
  return new Problem(401, { type: "invalid_request_error", code: "api_key_expired", message });
}

/** A key that was revoked. */
export function keyRevoked(): Problem {
  const message = "Revoked API Key provided. Use a key that is active.";
  return new Problem(401, { type: "invalid_request_error", code: "api_key_expired", message });
}

/** A restricted key that does not list what is needed. */
export function scopeMissing(scope: string): Problem {
  const message = `The provided restricted key does not have the required permissions: it needs the scope '${scope}'.`;
  return new Problem(403, { type: "invalid_request_error", message });
}

/** A publishable key where a secret one is needed. */
export function keyNotAllowed(): Problem {
  const message = "The provided key does not have the required permissions for this endpoint. Use a secret API key.";
  return new Problem(403, { type: "invalid_request_error", message });
}

/** Too many wrong keys from one address. */
export function tooManyWrongKeys(): Problem {
  const message = "Too many requests with invalid API keys. Try again later.";
  return new Problem(429, { type: "invalid_request_error", code: "rate_limit", message }, { headers: retryLater });
}

/** Too many cards from one address with a publishable key. */
export function tooManyCards(): Problem {
  const message = "Too many cards were given from this address. Try again in a minute.";
  const headers = { "retry-after": "60" };
  return new Problem(429, { type: "invalid_request_error", code: "rate_limit", message }, { headers });
}

/** An Idempotency-Key that cannot be one. */
export function idempotencyKeyInvalid(max: number): Problem {
  const message = `Invalid Idempotency-Key: must be 1 to ${max} printable characters.`;
  return new Problem(400, { type: "idempotency_error", message });
}

/** An Idempotency-Key that was first used for another request: 400, since the SDK would repeat a 409. */
export function idempotencyKeyReused(): Problem {
  const message =
    "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using " +
    "another key if you meant to execute a different request.";
  return new Problem(400, { type: "idempotency_error", message });
}

/** An Idempotency-Key whose first request still runs: 409, which the SDK repeats. */
export function idempotencyKeyInUse(): Problem {
  const message = "There is currently another in-progress request using this Idempotency Key. Try again in a moment.";
  return new Problem(409, { type: "idempotency_error", code: "idempotency_key_in_use", message });
}

/** A declined card; `chargeId` is the failed charge, when there is one. */
export function cardDeclined(decline: { reason: string; responseCode: string }, chargeId = ""): Problem {
  const view = declineView(decline);
  return new Problem(402, {
    type: "card_error",
    code: view.code,
    message: view.message,
    ...(view.decline_code === null ? {} : { decline_code: view.decline_code }),
    ...(view.param === null ? {} : { param: view.param }),
    ...(chargeId === "" ? {} : { charge: chargeId }),
  });
}

/** A card that is wrong by its form, found before any bank was asked. */
export function cardInvalid(code: keyof typeof cardWords): Problem {
  const [message, param] = cardWords[code];
  return new Problem(402, { type: "card_error", code, message, param });
}

const cardWords = {
  incorrect_number: ["Your card number is incorrect.", "number"],
  invalid_expiry_month: ["Your card's expiration month is invalid.", "exp_month"],
  invalid_expiry_year: ["Your card's expiration year is invalid.", "exp_year"],
  invalid_cvc: ["Your card's security code is invalid.", "cvc"],
  expired_card: ["Your card has expired.", "exp_month"],
} as const;

/** A customer with no card to charge. */
export function customerWithoutCard(): Problem {
  const message = "Cannot charge a customer that has no active card";
  return new Problem(402, { type: "card_error", code: "missing", message, param: "card" });
}

/** A card that is not this customer's. */
export function cardNotLinked({
  customerId,
  cardId,
  param,
}: {
  customerId: string;
  cardId: string;
  param: string;
}): Problem {
  const message =
    customerId === ""
      ? `The card ${excerpt(cardId)} belongs to a customer: name the customer, too.`
      : `Customer ${customerId} does not have a linked source with ID ${excerpt(cardId)}.`;
  // As Stripe answers it: what the customer does not have is not there.
  const status = customerId === "" ? 400 : 404;
  return new Problem(status, { type: "invalid_request_error", code: "missing", param, message });
}

/** A header that asks for the account of somebody else, which Tripe does not act for. */
export function headerNotOffered(name: string): Problem {
  return invalid({ message: `Tripe does not carry out ${name}: a key acts for its own account only.` });
}

/** Money of a live account, while live accounts have no bank. */
export function liveBankMissing(): Problem {
  const message = "Live charges are not offered by this Tripe: it has no bank for them (TRIPE_LIVE_ACQUIRER_ADDRESS).";
  return invalid({ message });
}

/** A live key, or a card number, that came over a network in clear. */
export function httpsRequired(what: string): Problem {
  const message =
    `${what} are taken over HTTPS only, and this request came over plain HTTP. What it carried may have been read on ` +
    "its way.";
  return invalid({ message });
}

/** A card's number where a live account must give a token. */
export function cardNumberNotAllowed(param: string): Problem {
  const message = "Card numbers are taken here in the sandbox only. Make a token first, with POST /v1/tokens.";
  return invalid({ param, message });
}

/** A charge without anybody to charge. */
export function payerMissing(): Problem {
  return invalid({ code: "parameter_missing", param: "source", message: "Must provide source or customer." });
}

/** An amount below the currency's minimum. */
export function amountTooSmall(minimumMinor: bigint, currencyCode: string): Problem {
  const least = formatMoney({ amountMinor: minimumMinor, currencyCode });
  // As Stripe writes it, unless the currency has no symbol and its code stands there already.
  const named = least.includes(currencyCode) ? least : `${least} ${currencyCode.toLowerCase()}`;
  const message = `Amount must be at least ${named}`;
  return invalid({ code: "amount_too_small", param: "amount", message });
}

/** An amount above what the public API takes. */
export function amountTooLarge(maximumMinor: bigint, currencyCode: string): Problem {
  const most = formatMoney({ amountMinor: maximumMinor, currencyCode });
  return invalid({ code: "amount_too_large", param: "amount", message: `Amount must be no more than ${most}` });
}

/** An amount with parts that its currency does not have, or that no card is charged. */
export function amountUneven(currencyCode: string, param = "amount"): Problem {
  const { stepMinor = 1n } = findCurrency(currencyCode) ?? {};
  const why = stepMinor === 10n ? "cards are charged two decimals" : "there are no decimals";
  const message = `Invalid amount: ${why} in ${currencyCode.toLowerCase()}, so it must be divisible by ${stepMinor}.`;
  return invalid({ code: "parameter_invalid_integer", param, message });
}

/** A currency Tripe does not charge in. */
export function currencyInvalid(given: string): Problem {
  return invalid({ param: "currency", message: `Invalid currency: ${excerpt(given)}` });
}

/** Something that too many change at once: nothing has happened, and the SDK is told to try again. */
export function lockTimeout(): Problem {
  const message = "This object cannot be accessed right now because another request is accessing it. Try again.";
  const headers = { ...retryLater, "stripe-should-retry": "true" };
  return new Problem(429, { type: "invalid_request_error", code: "lock_timeout", message }, { headers });
}

/** A business rule that stands against the request; nothing has happened. */
export function refused(error: { message: string; code?: string; param?: string }): Problem {
  return invalid(error);
}

/** Tripe, or a part it needs, cannot answer now: nothing has happened that a retry with the same key would repeat. */
export function unavailable(cause?: unknown): Problem {
  const message = "Tripe is temporarily unavailable. Try again in a moment, with the same Idempotency-Key.";
  return new Problem(503, { type: "api_error", message }, { headers: retryLater, cause });
}

/** One account, or one address, has more in progress than leaves room for others. */
export function tooManyAtOnce(): Problem {
  const message = "Too many requests at once. Try again in a moment, with the same Idempotency-Key.";
  // The SDK does not repeat a 429 unless it is asked to.
  const headers = { ...retryLater, "stripe-should-retry": "true" };
  return new Problem(429, { type: "invalid_request_error", code: "rate_limit", message }, { headers });
}

/** More is being worked on than Tripe can do well: come again soon. */
export function overloaded(): Problem {
  const message = "Tripe is busy. Try again in a moment, with the same Idempotency-Key.";
  return new Problem(503, { type: "api_error", message }, { headers: retryLater });
}

/** The answer did not come in time; a retry with the same key gets it. */
export function timedOut(cause?: unknown): Problem {
  const message = "The request did not end in time. Try again with the same Idempotency-Key to learn how it ended.";
  return new Problem(503, { type: "api_error", message }, { headers: retryLater, cause });
}

/** A bug or a fault: the cause is for the log alone. */
export function fault(cause: unknown): Problem {
  return new Problem(500, { type: "api_error", message: "An unknown error occurred." }, { cause });
}

/** A body that is compressed, or encoded otherwise: bodies are small, and one that unfolds is a way to overload. */
export function encodingNotOffered(): Problem {
  const message = "Unsupported content encoding: send the body as it is, without Content-Encoding.";
  const headers = { "accept-encoding": "identity" };
  return new Problem(415, { type: "invalid_request_error", message }, { headers });
}

/** What HTTP itself stands against: a body that is too large, a content type nobody reads, a header that is cut off. */
export function badHttp(status: number): Problem {
  const message = httpWords[status] ?? "Invalid request: it could not be read.";
  return new Problem(status, { type: "invalid_request_error", message });
}

/** Plain HTTP where the edge speaks HTTPS alone: whatever the request held was sent in clear. */
export function plainHttp(): Problem {
  const message = "Tripe speaks HTTPS here: send the request to https://, not http://.";
  return new Problem(400, { type: "invalid_request_error", message });
}

const httpWords: Readonly<Record<number, string>> = {
  405: "Method not allowed.",
  408: "The request took too long to arrive.",
  413: "Request body is too large: at most 64 KiB.",
  414: "Request URL is too long.",
  415: "Unsupported content type: send application/x-www-form-urlencoded or application/json.",
  417: "Unknown expectation: Tripe meets 100-continue and no other.",
  431: "Request headers are too large: at most 16 KiB.",
};

// A second: long enough for a restarted service to serve again (9-tried.md: 60 ms), short enough not to be noticed.
const retryLater = { "retry-after": "1" };
