import { expect, test } from "vitest";
import { golden, sampleToken } from "./testing.ts";
import { tokenView } from "./token.ts";

test("a token shows as in the golden file", () => {
  expect(JSON.stringify(tokenView(sampleToken()))).toBe(golden("token"));
});

test("a token that was used says so", () => {
  const token = sampleToken();
  expect(tokenView({ ...token, useTime: token.createTime }).used).toBe(true);
});

test("a token without a card is not shown", () => {
  const { paymentMethod: _, ...token } = sampleToken();
  expect(() => tokenView(token)).toThrow("a token has a payment method");
});
