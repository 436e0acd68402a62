import type { PublicError } from "../problem.ts";
import type { Route } from "../route.ts";
import { exampleNames } from "./examples.ts";
import { type Properties, shape, sometimes, text, word } from "./shapes.ts";

const fields: Properties<PublicError> = {
  type: word(["api_error", "card_error", "idempotency_error", "invalid_request_error"]),
  message: text("What is wrong, for people."),
  code: sometimes(text("What is wrong, for programs, such as parameter_missing or card_declined.")),
  param: sometimes(text("The parameter at fault, such as items[0][price]; `id` for the one in the path.")),
  decline_code: sometimes(text("Why the bank declined, such as insufficient_funds.")),
  charge: sometimes(text("The id of the charge that failed.")),
  doc_url: sometimes(text("Where the code is explained.")),
};

/** The envelope of every failure. */
export const errorSchema = shape<{ error: PublicError }>({ error: shape<PublicError>(fields) });

const words: Readonly<Record<string, string>> = {
  400: "The request cannot be carried out as it is, or a rule stands against it. Nothing has happened.",
  401: "No API key, or one that is wrong, revoked or expired.",
  402: "The card was declined, or is wrong. A charge that failed is named, and can be retrieved.",
  403: "The key does not have the permission: a publishable key, or a restricted one without the scope.",
  404: "The account has no such object.",
  409: "A request with the same Idempotency-Key is under way. Send this one again in a moment.",
  429: "Too many requests at once, or another request is changing the object. Nothing has happened; send it again.",
  500: "A fault of Tripe's. Send the request again with the same Idempotency-Key to learn how it ended.",
  503: "Tripe, or a part that it needs, cannot answer now. Send the request again with the same Idempotency-Key.",
  default: "Whatever else HTTP stands against, such as a body that is too large (413), in the same envelope.",
};

const retried = new Set(["429", "503"]);

/** The responses that are failures, one for each status. */
export const errorResponses = Object.fromEntries(
  Object.entries(words).map(([status, description]) => [
    nameOf(status),
    {
      description,
      headers: {
        "Request-Id": { $ref: "#/components/headers/RequestId" },
        ...(retried.has(status) ? { "Retry-After": { $ref: "#/components/headers/RetryAfter" } } : {}),
      },
      content: {
        "application/json": {
          schema: { $ref: "#/components/schemas/Error" },
          ...(exampleNames.has(nameOf(status))
            ? { examples: { [nameOf(status)]: { $ref: `#/components/examples/${nameOf(status)}` } } }
            : {}),
        },
      },
    },
  ]),
);

function nameOf(status: string): string {
  return `Error${status}`;
}

/** The statuses with which a route may fail. */
export function errorStatuses({ mayDecline, method, path }: Route): string[] {
  return Object.keys(words).filter((status) => {
    if (status === "402") return mayDecline === true;
    if (status === "404") return path.includes(":id");
    return status !== "409" || method === "POST";
  });
}

/** The headers of answers that programs read. */
export const responseHeaders = {
  RequestId: { description: "Names the request in Tripe's logs.", schema: { type: "string" } },
  IdempotentReplayed: {
    description:
      "`true` when an earlier request with the same Idempotency-Key was carried out, and this is its answer.",
    schema: { type: "string", enum: ["true"] },
  },
  RetryAfter: { description: "After how many seconds to try again.", schema: { type: "integer" } },
};
