import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { findCardNumbers, holdsCardNumber, redactCardNumbers } from "./card-number.ts";
import { createId } from "./ids.ts";

test.each([
  ["4242424242424242"],
  ["number=4242424242424242&exp=1"],
  ["Card4242424242424242exp1234"],
  ["4242 4242 4242 4242"],
  ["4242-4242-4242-4242."],
  ["4242 - 4242 - 4242 - 4242"],
  ["4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2"],
  ["42-42424242424-242"],
  ["order 7 of 2026-11-30: 4242 4242 4242 4242 123"],
  ["order 7 4242 4242 4242 4242 12/34"],
  ["order-2026-4242-4242-4242-4242"],
  ["378282246310005"],
  ["3782 822463 10005"],
  ["30569309025904"],
  ["3056 930902 5904"],
  ["3566002020360505"],
  ["2223003122003222"],
  ["6011111111111117"],
  ["4222222222222"],
  ["6759649826438453"],
  ["6205500000000000004"],
  ["track 2: 4242424242424242=40121010000000000"],
  ["4242\u00a04242\u00a04242\u00a04242"],
  ["4242\u20114242\u20134242\u22124242"],
  ["4242\u200b4242\u200b4242\u200b4242"],
  ["４２４２４２４２４２４２４２４２"],
  ["٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"],
  ["𝟜𝟚𝟜𝟚𝟜𝟚𝟜𝟚𝟜𝟚𝟜𝟚𝟜𝟚𝟜𝟚"],
])("%s is found", (text) => {
  expect(findCardNumbers(text)).toHaveLength(1);
  expect(holdsCardNumber(redactCardNumbers(text))).toBe(false);
});

test.each([
  ["a wrong check digit", "4242424242424241"],
  ["no brand's first digits", "9999999999999995"],
  ["no length of its brand", "42424242424242424"],
  ["a time in milliseconds", "1785420000000"],
  ["a masked number", "424242******4242"],
  ["a fraction", "0.4242424242424242"],
  ["a float as an amount", "509.99999999999994"],
  ["digits of a hash", "a4242424242424242f"],
  ["a trace's id", '{"trace_id":"42424242424242424242424242424242"}'],
  ["a UUID of digits", "42424242-4242-4242-4242-424242424242"],
  ["the middle of a UUID", "stripe-node-retry-55555555-5555-4444-a555-555555555555"],
  ["a German IBAN", "DE15 5105 0040 5324 1662 99"],
  ["an Austrian IBAN", "AT621904300234500142"],
  ["an article number", "4006381333924"],
  ["telephone numbers", "+4915123456001, +49 1512 3456001"],
  [
    "a telephone number by its name",
    'phone=4915123456001 billing_details[phone]=4915123456001 {"phone":"4915123456001"}',
  ],
  ["two columns of digits", "4242424242424242".match(/.{4}/g)?.join("\n") ?? ""],
])("%s is not taken for a card number", (_what, text) => {
  expect(findCardNumbers(text)).toEqual([]);
});

test("what is redacted is the number and nothing beside it", () => {
  expect(redactCardNumbers("a 4242 4242 4242 4242, b ４２４２４２４２４２４２４２４２, c 4242424242424241")).toBe(
    "a [redacted], b [redacted], c 4242424242424241",
  );
});

test("ids of Tripe's, of the SDK's requests and of traces are not taken for card numbers", () => {
  const ids = Array.from({ length: 10_000 }, () => `${createId("ch_")} stripe-node-retry-${randomUUID()}`);
  expect(findCardNumbers(ids.join("\n"))).toEqual([]);
});

test("a long text of digits is read in no time", () => {
  const startMs = performance.now();
  for (const text of ["1".repeat(65_536), "1 ".repeat(32_768), "4242 ".repeat(13_000), "1-a".repeat(20_000)]) {
    findCardNumbers(text);
  }
  expect(performance.now() - startMs).toBeLessThan(2_000);
});
