import fc from "fast-check";
import { expect, test } from "vitest";
import { Problem } from "../problem.ts";
import { parseJson } from "./json.ts";
import { findRepeatedKey } from "./repeated-key.ts";

test.each([
  ['{"amount":1,"amount":2}', "amount"],
  ['{"amount":1,"\\u0061mount":2}', "amount"],
  ['{"metadata":{"k":"a","k":"a"}}', "metadata[k]"],
  ['{"items":[{"price":"a"},{"price":"b","price":"c"}]}', "items[1][price]"],
  ['{"a":{},"b":[[{"x":1}],[{"x":1,"y":{},"y":{}}]]}', "b[1][0][y]"],
  [' { "a" : 1 , "a" : null } ', "a"],
  ['{"__proto__":1,"__proto__":2}', "__proto__"],
])("a key that stands twice in one object is refused by name: %s", (text, path) => {
  expect(findRepeatedKey(text)).toBe(path);
  const parse = () => parseJson(text);
  expect(parse).toThrow(Problem);
  expect(parse).toThrow(`'${path}' is given more than once`);
});

test.each([
  '{"a":{"k":1},"b":{"k":1}}',
  '{"a":[{"k":1},{"k":1}]}',
  '{"a":"\\"a\\":1,\\"a\\":2","b":"{"}',
  '{"k":"k","v":"k"}',
  "{}",
])("keys of different objects, and texts that look like JSON, are no repetition: %s", (text) => {
  expect(findRepeatedKey(text)).toBeUndefined();
});

test("what JSON.stringify writes repeats nothing, however it is nested", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(findRepeatedKey(text)).toBeUndefined();
    }),
  );
});
