import { expect, test } from "vitest";
import { findCardNumbers } from "../_runtime/card-number.ts";
import { CANDIDATE_PATTERN, findNumbersInLine } from "./card-number.ts";

test.each([
  ["number=4242424242424242&exp=1"],
  ['{"message":"0200164242424242424242"}'],
  ["an ISO 8583 frame: 0100722000000000000016424242424242424200000000000000200011"],
])("%s is found in a line of a file", (line) => {
  expect(findNumbersInLine(line)).toEqual(["4242424242424242"]);
});

test.each([
  ['"start_ms":1785420000000.12'],
  ['{"trace_id":"42424242424242424242424242424242","span_id":"4242424242424242"}'],
  ['{"message":"02000134001130105822","originalMessage":"02000134001130105822"}'],
])("%s is not taken for a card number", (line) => {
  expect(findNumbersInLine(line)).toEqual([]);
});

test.each([
  ["4222222222222"],
  ["4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2"],
  ["4242 - 4242 - 4242 - 4242"],
  ["４２４２４２４２４２４２４２４２"],
])("Postgres is asked for %s", (text) => {
  expect(findCardNumbers(text)).toHaveLength(1);
  // Postgres writes a code point beyond 16 bits with eight digits.
  expect(text).toMatch(new RegExp(CANDIDATE_PATTERN.replaceAll(/\\U0010FFFF/g, "\\u{10FFFF}"), "u"));
});
