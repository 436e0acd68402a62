import { expect, test } from "vitest";
import { meaningOf } from "./reasons.ts";

test("the codes of the test cards have the reasons that Stripe's SDKs know", () => {
  const reasons = ["05", "14", "41", "43", "51", "54", "82", "96", "N7"].map((code) => meaningOf(code));
  expect(reasons.map((meaning) => (meaning.outcome === "declined" ? meaning.reason : meaning.outcome))).toEqual([
    "generic_decline",
    "incorrect_number",
    "lost_card",
    "stolen_card",
    "insufficient_funds",
    "expired_card",
    "incorrect_cvc",
    "processing_error",
    "incorrect_cvc",
  ]);
});

test("an approval is accepted", () => {
  expect(meaningOf("00")).toEqual({ outcome: "accepted" });
  expect(meaningOf("85")).toEqual({ outcome: "accepted" });
});

test("a code that may hide an effect is unknown, and so is one nobody knows", () => {
  for (const code of ["09", "10", "68", "94", "Z9", "", "000"]) expect(meaningOf(code)).toEqual({ outcome: "unknown" });
});

test("what a card may not buy is said of purchases alone: a refused capture, refund or reversal is a plain decline", () => {
  for (const code of ["12", "57", "93"]) {
    for (const kind of ["purchase", "authorize"] as const) {
      expect(meaningOf(code, kind)).toEqual({ outcome: "declined", reason: "transaction_not_allowed" });
    }
    for (const kind of ["capture", "refund", "reverse"] as const) {
      expect(meaningOf(code, kind)).toEqual({ outcome: "declined", reason: "generic_decline" });
    }
  }
  expect(meaningOf("13", "capture")).toEqual({ outcome: "declined", reason: "invalid_amount" });
});
