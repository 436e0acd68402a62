import { excerpt, invalid, Problem } from "./problem.ts";

// Public words about parameters; those about everything else are in problems.ts, and in invoice-problems.ts beside it.

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

/** A card number where none belongs; the number itself is not repeated. `param` is a parameter, or a header. */
export function cardNumberInText(param: string): Problem {
  const message =
    `'${param}' holds a card number, which Tripe keeps in no text. Send it as the number of a card to POST /v1/tokens, ` +
    "and name the token instead.";
  return invalid({ param, message });
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

/** A name that a JSON object has twice: which of its values is meant is not known. */
export function parameterRepeated(param: string): Problem {
  return invalid({ param: excerpt(param), message: `Invalid JSON: '${excerpt(param)}' is given more than once.` });
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
