import fc from "fast-check";
import { expect, test } from "vitest";
import { previousAttributes } from "./previous-attributes.ts";

test("only what changed is shown, as it was", () => {
  const before = { email: "a@example.com", name: "Ann", phone: null };
  expect(previousAttributes(before, { ...before, email: "b@example.com" })).toEqual({ email: "a@example.com" });
  expect(previousAttributes(before, { ...before, phone: "1" })).toEqual({ phone: null });
});

test("of metadata only the keys that changed are shown, and a key that was not there is null", () => {
  const before = { metadata: { kept: "1", changed: "2", gone: "3" } };
  const after = { metadata: { kept: "1", changed: "4", added: "5" } };
  expect(previousAttributes(before, after)).toEqual({ metadata: { changed: "2", gone: "3", added: null } });
});

test("an object that came or went is shown whole, and a list too", () => {
  const address = { city: "Rome", line1: "Via 1" };
  expect(previousAttributes({ address }, { address: null })).toEqual({ address });
  expect(previousAttributes({ address: null }, { address })).toEqual({ address: null });
  expect(previousAttributes({ lines: { data: [1, 2], url: "/" } }, { lines: { data: [1], url: "/" } })).toEqual({
    lines: { data: [1, 2] },
  });
});

test("what is the same in another order of keys has not changed", () => {
  expect(previousAttributes({ a: { x: 1, y: [{ p: 1, q: 2 }] } }, { a: { y: [{ q: 2, p: 1 }], x: 1 } })).toEqual({});
});

test("any object and itself differ in nothing, and any two differ in nothing once the change is undone", () => {
  const json = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.constant(null)));
  fc.assert(
    fc.property(json, json, (before, after) => {
      expect(previousAttributes(before, { ...before })).toEqual({});
      const undone = { ...after, ...previousAttributes(before, after) };
      for (const [key, value] of Object.entries(undone)) {
        expect(value).toEqual(Object.hasOwn(before, key) ? before[key] : null);
      }
    }),
  );
});

test("a key that every object inherits is a key like any other", () => {
  const before = { metadata: { a: "1" } };
  const after = { metadata: { a: "1", toString: "x", constructor: "y" } };
  expect(previousAttributes(before, after)).toEqual({ metadata: { toString: null, constructor: null } });
  expect(previousAttributes(after, before)).toEqual({ metadata: { toString: "x", constructor: "y" } });
});
