import fc from "fast-check";
import { expect, test } from "vitest";
import {
  firstOf,
  readPrivate,
  repeatOf,
  responseTypeOf,
  retrievalReference,
  timeElements,
  writeNameAndLocation,
  writePrivate,
} from "./dialect.ts";

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

test("element 7 is in UTC; 12 and 13 are the merchant's, also across midnight, half hours and summer time", () => {
  const winter = Date.UTC(2026, 0, 9, 23, 4, 5, 678);
  const summer = Date.UTC(2026, 6, 9, 23, 4, 5, 678);
  expect(timeElements(winter)).toEqual({ 7: "0109230405", 12: "230405", 13: "0109" });
  expect(timeElements(winter, "Europe/Zurich")).toEqual({ 7: "0109230405", 12: "000405", 13: "0110" });
  expect(timeElements(summer, "Europe/Zurich")).toEqual({ 7: "0709230405", 12: "010405", 13: "0710" });
  expect(timeElements(winter, "Asia/Kolkata")).toEqual({ 7: "0109230405", 12: "043405", 13: "0110" });
  expect(timeElements(winter, "America/Los_Angeles")).toEqual({ 7: "0109230405", 12: "150405", 13: "0109" });
});

test("a retrieval reference is year, day, hour and trace number", () => {
  expect(retrievalReference({ traceNumber: 7, timeMs: Date.UTC(2026, 0, 1, 0) })).toBe("600100000007");
  expect(retrievalReference({ traceNumber: 899_999, timeMs: Date.UTC(2028, 11, 31, 23, 59) })).toBe("836623899999");
});

test("a name and a place have forty characters of ASCII, whatever they were", () => {
  const whole = writeNameAndLocation({
    name: "Caf\u00e9 \u738b & S\u00f6hne, a long name",
    city: "Z\u00fcrich",
    countryCode: "CH",
  });
  expect(whole).toBe("Cafe   & Sohne, a long naZurich       CH");
  expect(writeNameAndLocation({ name: "", city: "", countryCode: "" })).toBe(" ".repeat(40));
});
