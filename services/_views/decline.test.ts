import { expect, test } from "vitest";
import { meaningOf } from "../bank/reasons.ts";
import { declineView } from "./decline.ts";

const declined = (reason: string) => declineView({ reason, responseCode: "05" });

test.each([
  ["expired_card", "exp_month", "Your card has expired."],
  ["incorrect_cvc", "cvc", "Your card's security code is incorrect."],
  ["incorrect_number", "number", "Your card number is incorrect."],
  ["processing_error", null, "An error occurred while processing your card. Try again in a little bit."],
])("%s is a code of its own", (reason, param, message) => {
  expect(declined(reason)).toEqual({ code: reason, decline_code: null, message, param });
});

test.each([
  ["generic_decline", "Your card was declined."],
  ["insufficient_funds", "Your card has insufficient funds."],
  ["transaction_not_allowed", "Your card does not support this type of purchase."],
])("%s is a decline code of card_declined", (reason, message) => {
  expect(declined(reason)).toEqual({ code: "card_declined", decline_code: reason, message, param: null });
});

test.each(["lost_card", "stolen_card", "pickup_card", "fraudulent", "merchant_blacklist", "restricted_card"])(
  "the message for %s says no more than a plain decline does",
  (reason) => {
    expect(declined(reason).message).toBe(declined("generic_decline").message);
  },
);

test("a reason nobody knows is a plain decline when a bank gave it, and an error of processing when none did", () => {
  expect(declined("moon_phase")).toEqual(declined("generic_decline"));
  expect(declineView({ reason: "bank_asleep", responseCode: "" })).toEqual(declined("processing_error"));
});

test("every reason that a bank's code can mean has its own words", () => {
  const characters = [..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const meanings = characters.flatMap((first) => characters.map((second) => meaningOf(first + second)));
  const reasons = new Set(meanings.flatMap((meaning) => (meaning.outcome === "declined" ? [meaning.reason] : [])));
  expect(reasons.size).toBeGreaterThan(20);
  for (const reason of reasons) expect([declined(reason).code, declined(reason).decline_code]).toContain(reason);
});
