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
  const message = redact(error.message);
  return error.param === undefined ? { ...error, message } : { ...error, message, param: redact(error.param) };
}

// A card number has 12 to 19 digits, perhaps in groups.
function redact(text: string): string {
  return text.replaceAll(/\d(?:[ -]?\d){11,}/g, "[redacted]");
}
