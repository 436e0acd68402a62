import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createRefusal } from "../services/_runtime/errors.ts";
import { parametersUnknown } from "./parameter-problems.ts";
import { Problem } from "./problem.ts";
import { cardDeclined, resourceMissing } from "./problems.ts";
import { publicRefusals, toProblem } from "./refusals.ts";

const root = join(import.meta.dirname, "..", "services");

// The services that the edge's actions reach today.
const folders = ["_runtime", "_database", "reader", "writer", "transactions", "bank"];

/** Every reason these services give, as their sources spell it. */
function reasonsInSources(): Set<string> {
  const files = folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
    )
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.includes("testing"));
  const reasons = new Set<string>();
  for (const path of files) {
    const text = readFileSync(join(root, path), "utf8");
    for (const [call] of text.matchAll(/\b(?:refuse|no)\(\s*Code\.\w+,\s*"[A-Z][A-Z0-9_]+"/g)) {
      reasons.add(call.split('"')[1] ?? "");
    }
  }
  return reasons;
}

// Reasons that are about Tripe's own calls, which no public request can cause: as faults they are 500s.
const internalReasons = [
  "CALLER_NOT_PROVEN",
  "TIME_ZONE_UNKNOWN",
  // The edge has the card verified, and asks again.
  "VERIFICATION_DUE",
  "ACCOUNT_EXISTS",
  "API_KEYS_TOO_MANY",
  "API_KEY_EXISTS",
  "API_KEY_NOT_ACTIVE",
  "API_KEY_SCOPES_INVALID",
  "ALERT_NOT_FOUND",
  "AMOUNT_NOT_POSITIVE",
  "ANSWERS_DISAGREE",
  "ATTEMPT_NOT_FOUND",
  "ATTEMPT_NOT_GIVEN_UP",
  "BANK_UNKNOWN",
  "KIND_UNSPECIFIED",
  "ORIGINAL_BANK_REF_MISSING",
  "OUTCOME_NOT_FINAL",
  "SEALED_CARD_UNOPENED",
  "SEALED_SECRET_UNOPENED",
  "SENDING_NOT_FOUND",
  "UPDATE_MASK_UNKNOWN",
  "AMOUNT_OUT_OF_RANGE",
  "CALLER_NOT_ALLOWED",
  "CURRENCY_UNKNOWN",
  // Only the sweep of renewals asks for what this refuses.
  "SUBSCRIPTION_NOT_DUE",
];

test("every reason in the services' sources has its public words, or is known to be internal", () => {
  const unknown = [...reasonsInSources()].filter(
    (reason) => !Object.hasOwn(publicRefusals, reason) && !internalReasons.includes(reason),
  );
  expect(unknown).toEqual([]);
});

test.each(Object.keys(publicRefusals))("%s is told with a 4xx and words of its own", (reason) => {
  const refusal = createRefusal({
    code: Code.FailedPrecondition,
    reason,
    field: "customer.phone",
    message: "internal words",
  });
  const { status, error } = toProblem(refusal, { charge: { id: "ch_1", param: "charge" } });
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(error.message).not.toContain("internal words");
});

test("an id in the path is a 404, an id in a parameter a 400 that names it", () => {
  const refusal = createRefusal({ code: Code.NotFound, reason: "CUSTOMER_NOT_FOUND", field: "", message: "" });
  expect(toProblem(refusal, { customer: { id: "cus_1", param: "id" } })).toMatchObject({
    status: 404,
    error: { code: "resource_missing", param: "id", message: "No such customer: 'cus_1'" },
  });
  expect(toProblem(refusal, { customer: { id: "cus_1", param: "customer" } })).toMatchObject({
    status: 400,
    error: { param: "customer" },
  });
});

test.each([
  [Code.Aborted, 503],
  [Code.Unavailable, 503],
  [Code.ResourceExhausted, 503],
  [Code.DeadlineExceeded, 503],
  [Code.Internal, 500],
  [Code.Unknown, 500],
  [Code.InvalidArgument, 500],
])("a transport's error of code %i is a %i", (code, status) => {
  const problem = toProblem(new ConnectError("internal words", code));
  expect(problem.status).toBe(status);
  expect(problem.error.message).not.toContain("internal words");
  expect(problem.headers["retry-after"]).toBe(status === 500 ? undefined : "1");
});

test("what nobody foresaw is a 500 that keeps its cause to itself", () => {
  const cause = new Error("secret 4242424242424242");
  const problem = toProblem(cause);
  expect(problem).toMatchObject({
    status: 500,
    cause,
    error: { type: "api_error", message: "An unknown error occurred." },
  });
});

test("a reused key is a 400, and one in use a 409, never the other way round", () => {
  const of = (reason: string) => toProblem(createRefusal({ code: Code.Aborted, reason, field: "", message: "" }));
  expect(of("REQUEST_ID_REUSED")).toMatchObject({ status: 400, error: { type: "idempotency_error" } });
  expect(of("REQUEST_IN_PROGRESS")).toMatchObject({
    status: 409,
    error: { type: "idempotency_error", code: "idempotency_key_in_use" },
  });
});

test("a decline names its code, its finer word and the failed charge", () => {
  expect(cardDeclined({ reason: "insufficient_funds", responseCode: "51" }, "ch_1")).toMatchObject({
    status: 402,
    error: { type: "card_error", code: "card_declined", decline_code: "insufficient_funds", charge: "ch_1" },
  });
});

test("no problem repeats a card number", () => {
  const { error } = parametersUnknown(["card[4242 4242 4242 4242]"]);
  expect(error.message).toBe("Received unknown parameter: card[[redacted]]");
  expect(error.param).toBe("card[[redacted]]");
  expect(resourceMissing({ noun: "token", id: "4000-0566-5566-5556", param: "source" }).error.message).toContain(
    "[redacted]",
  );
  expect(new Problem(500, { type: "api_error", message: "ch_0VbiZSEq0VxJQfqDcNsMuVZA" }).error.message).toBe(
    "ch_0VbiZSEq0VxJQfqDcNsMuVZA",
  );
});
