import { expect, test } from "vitest";
import { createBoundedCache } from "./bounded-cache.ts";

test("what was not used for longest goes first", () => {
  const cache = createBoundedCache<number>({ sizeMax: 2 });
  cache.set("a", 1);
  cache.set("b", 2);
  cache.get("a");
  cache.set("c", 3);
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual([1, undefined, 3]);
});

test("sizes are counted, replaced values and removed ones no longer", () => {
  const cache = createBoundedCache<string>({ sizeMax: 10, sizeOf: ({ length }) => length });
  cache.set("a", "12345");
  cache.set("a", "1234567");
  cache.set("b", "123");
  expect([cache.get("a"), cache.get("b")]).toEqual(["1234567", "123"]);
  cache.delete("a");
  cache.set("c", "1234567");
  expect([cache.get("b"), cache.get("c")]).toEqual(["123", "1234567"]);
  cache.set("d", "12345678901");
  expect([cache.get("b"), cache.get("c"), cache.get("d")]).toEqual([undefined, undefined, undefined]);
});
