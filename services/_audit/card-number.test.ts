import { expect, test } from "vitest";
import { createId } from "../_runtime/ids.ts";
import { findCardNumbers } from "./card-number.ts";

test.each([
  ["4242424242424242"],
  ["number=4242424242424242&exp=1"],
  ["4242 4242 4242 4242"],
  ["4242-4242-4242-4242."],
  ["378282246310005"],
  ["3782 822463 10005"],
  ["30569309025904"],
  ["2223003122003222"],
  ["4222222222222"],
  ["6205500000000000004"],
  ["track 2: 4242424242424242=40121010000000000"],
  ["an ISO 8583 frame: 0100722000000000000016424242424242424200000000000000200011"],
])("%s is found", (text) => {
  expect(findCardNumbers(text)).toHaveLength(1);
});

test.each([
  ["4242424242424241"],
  ["1785420000000"],
  ["424242******4242"],
  ['"start_ms":1785420000000.12'],
  ["0.4242424242424242"],
  ["a4242424242424242f"],
  ['{"trace_id":"42424242424242424242424242424242","span_id":"4242424242424242"}'],
  ["42424242-4242-4242-4242-424242424242"],
  ["9999999999999995"],
])("%s is not taken for a card number", (text) => {
  expect(findCardNumbers(text)).toEqual([]);
});

test("ids of Tripe's are not taken for card numbers", () => {
  const ids = Array.from({ length: 10_000 }, () => createId("ch_"));
  expect(findCardNumbers(ids.join("\n"))).toEqual([]);
});
