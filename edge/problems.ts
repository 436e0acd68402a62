import { formatMoney } from "../services/_runtime/money.ts";
import { declineView } from "../services/_views/decline.ts";
import { Problem, type PublicError } from "./problem.ts";

// The only place where public words about failures are made (8-style.md, 22). Words and codes are Stripe's, since
// programs match them; 5-public-api.md lists both.

/** A required parameter that is not there. */
export function parameterMissing(param: string): Problem {
  return invalid({ code: "parameter_missing", param, message: `Missing required param: ${param}.` });
}

/** Parameters that nobody knows, or that Tripe does not carry out. */
export function parametersUnknown(params: readonly string[]): Problem {
  const plural = params.length === 1 ? "" : "s";
  const [param = ""] = params;
  // More than ten names help nobody, and a request can hold a thousand.
  const shown = params.slice(0, 10).join(", ");
  return invalid({ code: "parameter_unknown", param, message: `Received unknown parameter${plural}: ${shown}` });
}

/** An empty value for a parameter that cannot be unset. */
export function parameterEmpty(param: string): Problem {
  const message =
    `You passed an empty string for '${param}'. We assume empty values are an attempt to unset a parameter; however ` +
    `'${param}' cannot be unset. You should remove '${param}' from your request or supply a non-empty value.`;
  return invalid({ code: "parameter_invalid_empty", param, message });
}

/** Something that is no whole number. */
export function invalidInteger(param: string, given: string): Problem {
  return invalid({ code: "parameter_invalid_integer", param, message: `Invalid integer: ${excerpt(given)}` });
}

/** A whole number outside its bounds, which are named. */
export function integerOutOfRange(param: string, bounds: { minimum: number } | { maximum: number }): Problem {
  const words =
    "minimum" in bounds ? `greater than or equal to ${bounds.minimum}` : `less than or equal to ${bounds.maximum}`;
  return invalid({ code: "parameter_invalid_integer", param, message: `This value must be ${words}.` });
}

/** A value of the wrong kind: "array", "boolean", "object" or "string". */
export function invalidKind(param: string, kind: string): Problem {
  return invalid({ param, message: `Invalid ${kind} for '${param}'.` });
}

/** A word that is none of those allowed. */
export function invalidChoice(param: string, allowed: readonly string[]): Problem {
  return invalid({ param, message: `Invalid ${param}: must be one of ${allowed.join(", ")}` });
}

/** A value Stripe carries out and Tripe does not, of a parameter whose other values it does. */
export function valueNotCarriedOut(param: string, allowed: string): Problem {
  const message = `Received unknown parameter: ${param}. Tripe does not carry out another value than ${allowed} yet.`;
  return invalid({ code: "parameter_unknown", param, message });
}

/** A text with too many characters; the text itself is not repeated. */
export function textTooLong(param: string, max: number): Problem {
  return invalid({ param, message: `Invalid string: '${param}' must be at most ${max} characters` });
}

/** A text that cannot be kept: NUL, half of a surrogate pair. */
export function textNotStorable(param: string): Problem {
  return invalid({ param, message: `Invalid string: '${param}' holds characters that are not allowed` });
}

/** A list that is too long. */
export function tooManyItems(param: string, max: number): Problem {
  return invalid({ param, message: `Array '${param}' exceeded maximum ${max} allowed elements.` });
}

/** An email address that is none. */
export function emailInvalid(param: string): Problem {
  return invalid({ code: "email_invalid", param, message: "Invalid email address." });
}

/** A value that is not of its parameter's form, such as a country that is no two-letter code. */
export function invalidForm(param: string, expected: string): Problem {
  return invalid({ param, message: `Invalid value for '${param}': must be ${expected}.` });
}

/** Two parameters that exclude each other. */
export function parametersExclusive(param: string, other: string): Problem {
  return invalid({
    code: "parameters_exclusive",
    param,
    message: `You may only specify one of these parameters: ${param}, ${other}.`,
  });
}

/** A name used for a value and for a group of values at once. */
export function parameterConflict(param: string): Problem {
  return invalid({
    param,
    message: `Invalid parameters: '${param}' is given both as a value and as a group of values.`,
  });
}

/** A body or query that cannot be read; `reason` follows "because". */
export function malformedBody(reason: string, cause?: unknown): Problem {
  const message = `Invalid request: the parameters could not be read, because ${reason}.`;
  return new Problem(400, { type: "invalid_request_error", message }, { cause });
}

/** More parameters than a request may have. */
export function tooManyParameters(max: number): Problem {
  return invalid({ message: `Invalid request: more than ${max} parameters.` });
}

/** Parameters nested more deeply than any schema. */
export function tooDeep(max: number): Problem {
  return invalid({ message: `Invalid request: parameters nested more than ${max} levels deep.` });
}

/** Paths that cannot be expanded here. */
export function expandInvalid(path: string): Problem {
  const message = `This property cannot be expanded (${excerpt(path)}). You may want to try expanding another one.`;
  return invalid({ param: "expand", message });
}

/** An id that names nothing: 404 when it stood in the path (param `id`), 400 when a parameter held it. */
export function resourceMissing({ noun, id, param }: { noun: string; id: string; param: string }): Problem {
  const message = `No such ${noun}: '${excerpt(id)}'`;
  const status = param === "id" ? 404 : 400;
  return new Problem(status, { type: "invalid_request_error", code: "resource_missing", message, param });
}

/** A path or method that no route has. */
export function urlUnrecognized(method: string, path: string): Problem {
  const message = `Unrecognized request URL (${method}: ${excerpt(path)}). See /openapi.json for every URL there is.`;
  return new Problem(404, { type: "invalid_request_error", message });
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

/** A publishable or restricted key where a secret one is needed. */
export function keyNotAllowed(): Problem {
  const message = "The provided key does not have the required permissions for this endpoint. Use a secret API key.";
  return new Problem(403, { type: "invalid_request_error", message });
}

/** Too many wrong keys from one address. */
export function tooManyWrongKeys(): Problem {
  const message = "Too many requests with invalid API keys. Try again later.";
  return new Problem(429, { type: "invalid_request_error", code: "rate_limit", message }, { headers: retryLater });
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
  const message = `Customer ${customerId} does not have a linked source with ID ${excerpt(cardId)}.`;
  return invalid({ code: "missing", param, message });
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
  const message = `Amount must be at least ${least} ${currencyCode.toLowerCase()}`;
  return invalid({ code: "amount_too_small", param: "amount", message });
}

/** An amount above what the public API takes. */
export function amountTooLarge(maximumMinor: bigint, currencyCode: string): Problem {
  const most = formatMoney({ amountMinor: maximumMinor, currencyCode });
  return invalid({ code: "amount_too_large", param: "amount", message: `Amount must be no more than ${most}` });
}

/** A currency Tripe does not charge in. */
export function currencyInvalid(given: string): Problem {
  return invalid({ param: "currency", message: `Invalid currency: ${excerpt(given)}` });
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

/** More is being worked on than Tripe can do well: come again soon. */
export function overloaded(): Problem {
  const message = "Tripe is busy. Try again in a moment, with the same Idempotency-Key.";
  return new Problem(503, { type: "api_error", message }, { headers: retryLater });
}

/** The answer did not come in time; a retry with the same key gets it. */
export function timedOut(cause?: unknown): Problem {
  const message = "The request did not end in time. Try again with the same Idempotency-Key to learn how it ended.";
  return new Problem(504, { type: "api_error", message }, { headers: retryLater, cause });
}

/** A bug or a fault: the cause is for the log alone. */
export function fault(cause: unknown): Problem {
  return new Problem(500, { type: "api_error", message: "An unknown error occurred." }, { cause });
}

/** What HTTP itself stands against: a body that is too large, a content type nobody reads, a header that is cut off. */
export function badHttp(status: number): Problem {
  const message = httpWords[status] ?? "Invalid request: it could not be read.";
  return new Problem(status, { type: "invalid_request_error", message });
}

const httpWords: Readonly<Record<number, string>> = {
  405: "Method not allowed.",
  408: "The request took too long to arrive.",
  413: "Request body is too large: at most 64 KiB.",
  414: "Request URL is too long.",
  415: "Unsupported content type: send application/x-www-form-urlencoded or application/json.",
  431: "Request headers are too large: at most 16 KiB.",
};

// A second: long enough for a restarted service to serve again (9-tried.md: 60 ms), short enough not to be noticed.
const retryLater = { "retry-after": "1" };

function invalid(error: Omit<PublicError, "type">): Problem {
  return new Problem(400, { type: "invalid_request_error", ...error });
}

// Long enough for every id and every path; the rest of what a client wrote helps nobody.
const EXCERPT_MAX = 100;

function excerpt(text: string): string {
  return text.length <= EXCERPT_MAX ? text : `${text.slice(0, EXCERPT_MAX)}…`;
}
