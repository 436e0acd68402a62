import fc from "fast-check";
import { expect, test } from "vitest";
import { firstOf, readPrivate, repeatOf, responseTypeOf, timeElements, writePrivate } from "./dialect.ts";

test("a repeat is the type plus one, once, and leads back to the first", () => {
  expect(["0200", "0201", "0220", "0400"].map(repeatOf)).toEqual(["0201", "0201", "0221", "0401"]);
  expect(["0200", "0201", "0221", "0401"].map(firstOf)).toEqual(["0200", "0200", "0220", "0400"]);
});

test("a request and its repeat have the same answer, and an answer has none", () => {
  expect(["0100", "0101", "0200", "0201", "0221", "0400", "0600", "0800"].map(responseTypeOf)).toEqual([
    "0110",
    "0110",
    "0210",
    "0210",
    "0230",
    "0410",
    "0610",
    "0810",
  ]);
  expect(responseTypeOf("0210")).toBe(undefined);
});

test("private data reads back as it was written, and no cut text is taken for it", () => {
  const numbers = fc.integer({ min: 10, max: 99 }).map(String);
  const values = fc.string({ unit: fc.constantFrom(..."0123456789MNPU"), minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.dictionary(numbers, values, { maxKeys: 3, noNullPrototype: true }), (data) => {
      expect(readPrivate(writePrivate(data))).toEqual(data);
    }),
  );
  expect(["92", "920", "9203", "920312", "9x03123", "92-3123"].map((text) => readPrivate(text))).toEqual(
    Array(6).fill(undefined),
  );
});

test("time elements are in UTC", () => {
  const elements = timeElements(Date.UTC(2026, 0, 9, 3, 4, 5, 678));
  expect(elements).toEqual({ 7: "0109030405", 12: "030405", 13: "0109" });
});
