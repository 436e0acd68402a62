import fc from "fast-check";
import qs from "qs";
import { expect, test } from "vitest";
import { Problem } from "../problem.ts";
import { parseForm } from "./form.ts";
import type { Tree } from "./tree.ts";

/** A tree as plain values, for comparing. */
function plain(tree: Tree): unknown {
  if (tree instanceof Map) return Object.fromEntries([...tree].map(([name, part]) => [name, plain(part)]));
  return Array.isArray(tree) ? tree.map(plain) : tree;
}

function parse(text: string): unknown {
  return plain(parseForm(text));
}

function problemOf(text: string): Problem {
  try {
    parseForm(text);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("the form was meant to be refused");
}

test("brackets nest, numbers and empty brackets make lists, plus is a space", () => {
  expect(parse("a=1&b[c]=x+y&b[d][e]=%2B&l[0]=p&l[1]=q&m[]=r&m[]=s")).toEqual({
    a: "1",
    b: { c: "x y", d: { e: "+" } },
    l: { 0: "p", 1: "q" },
    m: ["r", "s"],
  });
});

test("items of a list of groups begin where a name repeats", () => {
  expect(parse("i[][price]=a&i[][quantity]=1&i[][price]=b")).toEqual({
    i: [{ price: "a", quantity: "1" }, { price: "b" }],
  });
});

test("of a repeated key the last value counts, and a key without a value is empty", () => {
  expect(parse("a=1&a=2&b&c=")).toEqual({ a: "2", b: "", c: "" });
  expect(parse("")).toEqual({});
  expect(parse("&&a=1&")).toEqual({ a: "1" });
});

test("a key whose brackets do not pair is taken as it is", () => {
  expect(parse("a[b=1&[c]=2&d]=3")).toEqual({ "a[b": "1", "[c]": "2", "d]": "3" });
});

test("keys are decoded before their brackets are read, and __proto__ is a key like any other", () => {
  expect(parse("metadata%5Ba%20b%5D=1")).toEqual({ metadata: { "a b": "1" } });
  expect([...parseForm("__proto__[x]=1").keys()]).toEqual(["__proto__"]);
  expect("x" in {}).toBe(false);
});

test.each(["a=1&a[b]=2", "a[b]=2&a=1", "a[]=1&a[b]=2", "a[b]=1&a[]=2", "a[b]=1&a[b][c]=2"])(
  "a name cannot be a value and a group: %s",
  (text) => {
    expect(problemOf(text)).toMatchObject({ status: 400, error: { message: expect.stringContaining("both") } });
  },
);

test.each(["a=%", "a=%2", "%zz=1", "a=%ff", "a=%ed%a0%80"])("broken percent-encoding is refused: %s", (text) => {
  expect(problemOf(text).status).toBe(400);
});

test("nesting and number of parameters are bounded", () => {
  expect(problemOf(`a${"[b]".repeat(33)}=1`).error.message).toContain("nested");
  expect(problemOf("a=1&".repeat(1_001)).error.message).toContain("more than 1000 parameters");
});

test("qs reads well-formed forms the same way", () => {
  const name = fc.stringMatching(/^[a-z_]{1,6}$/);
  const leaf = fc.string({ unit: "grapheme", maxLength: 8 });
  const group = fc.dictionary(
    name,
    fc.oneof(leaf, fc.dictionary(name, leaf, { minKeys: 1, maxKeys: 3, noNullPrototype: true })),
    {
      minKeys: 1,
      maxKeys: 4,
      noNullPrototype: true,
    },
  );
  fc.assert(
    fc.property(group, fc.boolean(), (value, isEncoded) => {
      const text = qs.stringify(value, { encodeValuesOnly: !isEncoded });
      expect(parse(text)).toEqual(qs.parse(text, { plainObjects: true, allowPrototypes: true }));
      expect(parse(text)).toEqual(value);
    }),
  );
});

test("no text does anything but parse or be refused", () => {
  const piece = fc.oneof(
    fc.constantFrom("a", "b", "[", "]", "[]", "[0]", "=", "&", "%", "%5B", "+", "__proto__"),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      try {
        expect(parseForm(pieces.join(""))).toBeInstanceOf(Map);
      } catch (error) {
        expect(error).toBeInstanceOf(Problem);
      }
    }),
    { numRuns: 2_000 },
  );
});
