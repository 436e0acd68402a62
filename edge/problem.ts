import { redactCardNumbers } from "../services/_runtime/card-number.ts";

/** The inside of the error envelope, as Stripe's SDKs read it. */
export interface PublicError {
  readonly type: "api_error" | "card_error" | "idempotency_error" | "invalid_request_error";
  readonly message: string;
  readonly code?: string;
  /** The parameter at fault, in brackets: `items[0][price]`. */
  readonly param?: string;
  readonly decline_code?: string;
  /** The failed charge's id. */
  readonly charge?: string;
  /** Where the code is explained; added to what is sent (error-page.ts). */
  readonly doc_url?: string;
}

/** Why a public request gets no 2xx: what its answer will be. Made in problems.ts only. */
export class Problem extends Error {
  readonly status: number;
  readonly error: PublicError;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: PublicError, options: { headers?: Record<string, string>; cause?: unknown } = {}) {
    super(error.message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "Problem";
    this.status = status;
    this.error = withoutCards(error);
    this.headers = options.headers ?? {};
  }
}

// Whatever a client wrote where no card number belongs (a key's name, a description, an id) may be echoed by a message.
function withoutCards(error: PublicError): PublicError {
  const message = redactCardNumbers(error.message);
  return error.param === undefined
    ? { ...error, message }
    : { ...error, message, param: redactCardNumbers(error.param) };
}

/** A request that cannot be carried out as it is: a 400. */
export function invalid(error: Omit<PublicError, "type">): Problem {
  return new Problem(400, { type: "invalid_request_error", ...error });
}

// Long enough for every id and every path; the rest of what a client wrote helps nobody.
const EXCERPT_MAX = 100;

/** The beginning of what a client wrote, for a message. */
export function excerpt(text: string): string {
  return text.length <= EXCERPT_MAX ? text : `${text.slice(0, EXCERPT_MAX)}…`;
}
