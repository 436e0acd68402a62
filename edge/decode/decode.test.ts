import fc from "fast-check";
import Type, { type Static, type TObject } from "typebox";
import { Check } from "typebox/value";
import { expect, test } from "vitest";
import { Problem, type PublicError } from "../problem.ts";
import { decode } from "./decode.ts";
import {
  billingDetails,
  choice,
  clearable,
  created,
  email,
  expand,
  group,
  integer,
  list,
  metadata,
  optional,
  text,
} from "./fields.ts";
import { parseForm } from "./form.ts";
import { parseJson } from "./json.ts";

const schema = group(
  {
    amount: integer({ minimum: 1, maximum: 100 }),
    name: clearable(text(5)),
    email: optional(email()),
    capture: optional(Type.Literal(true)),
    live: optional(Type.Boolean()),
    reason: optional(choice(["duplicate", "fraudulent"])),
    items: optional(list(group({ price: text(9), quantity: optional(integer()) }), 2)),
    source: optional(Type.Union([text(9), group({ number: text(32) })])),
    metadata,
    created,
    expand,
  },
  { "x-ignored": { radar_options: "a reason" } },
);

function form(given: string): Static<typeof schema> {
  return decode(schema, parseForm(given));
}

function json(given: unknown): Static<typeof schema> {
  return decode(schema, parseJson(JSON.stringify(given)));
}

function errorOf(work: () => unknown): PublicError {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem && error.status === 400) return error.error;
    throw error;
  }
  throw new Error("the parameters were meant to be refused");
}

test("a form and JSON of the same content decode alike", () => {
  const wanted = {
    amount: 7,
    name: null,
    live: true,
    items: [{ price: "a", quantity: 2 }, { price: "b" }],
    metadata: { n: "1.5", b: "true", gone: null },
    expand: ["customer"],
  };
  const given =
    "amount=7&name=&live=true&items[0][price]=a&items[0][quantity]=2&items[1][price]=b" +
    "&metadata[n]=1.5&metadata[b]=true&metadata[gone]=&expand[]=customer";
  expect(form(given)).toEqual(wanted);
  const metadataGiven = { n: 1.5, b: true, gone: null };
  expect(json({ ...wanted, metadata: metadataGiven })).toEqual(wanted);
  expect(json({ ...wanted, name: "", metadata: metadataGiven })).toEqual(wanted);
});

test("absent is not empty: what is absent is not there at all", () => {
  expect(form("amount=1")).toEqual({ amount: 1 });
  expect(form("amount=1&metadata=")).toEqual({ amount: 1, metadata: null });
});

test("a union is decoded by the shape of what is given", () => {
  expect(form("amount=1&source=tok_1").source).toBe("tok_1");
  expect(form("amount=1&source[number]=42").source).toEqual({ number: "42" });
  expect(form("amount=1&created=5").created).toBe(5);
  expect(form("amount=1&created[gte]=5&created[lt]=6").created).toEqual({ gte: 5, lt: 6 });
});

test("ignored parameters are accepted and left out", () => {
  expect(form("amount=1&radar_options[session]=x")).toEqual({ amount: 1 });
});

test.each([
  ["", "parameter_missing", "amount"],
  ["amount=", "parameter_invalid_empty", "amount"],
  ["amount=abc", "parameter_invalid_integer", "amount"],
  ["amount=12.5", "parameter_invalid_integer", "amount"],
  ["amount=1e1", "parameter_invalid_integer", "amount"],
  ["amount=0", "parameter_invalid_integer", "amount"],
  ["amount=101", "parameter_invalid_integer", "amount"],
  ["amount=9007199254740993", "parameter_invalid_integer", "amount"],
  ["amount[a]=1", "parameter_invalid_integer", "amount"],
  ["amount=1&foo=1", "parameter_unknown", "foo"],
  ["amount=1&items[0][price]=a&items[0][x]=1", "parameter_unknown", "items[0][x]"],
  ["amount=1&items[0][quantity]=1", "parameter_missing", "items[0][price]"],
  ["amount=1&items[a][price]=1", undefined, "items"],
  ["amount=1&items=x", undefined, "items"],
  ["amount=1&items[0][price]=a&items[1][price]=a&items[2][price]=a", undefined, "items"],
  ["amount=1&name=123456", undefined, "name"],
  ["amount=1&name[a]=1", undefined, "name"],
  ["amount=1&name=%00", undefined, "name"],
  ["amount=1&email=x", "email_invalid", "email"],
  ["amount=1&email=", "parameter_invalid_empty", "email"],
  ["amount=1&capture=false", "parameter_unknown", "capture"],
  ["amount=1&live=yes", undefined, "live"],
  ["amount=1&reason=other", undefined, "reason"],
  ["amount=1&metadata[__proto__]=1", undefined, "metadata"],
  ["amount=1&metadata=x", undefined, "metadata"],
  [`amount=1&metadata[${"k".repeat(41)}]=1`, undefined, "metadata"],
  [`amount=1&metadata[k]=${"v".repeat(501)}`, undefined, "metadata[k]"],
  ["amount=1&created[foo]=1", "parameter_unknown", "created[foo]"],
  ["amount=1&__proto__[x]=1", "parameter_unknown", "__proto__"],
])("the form %s is refused with %s for %s", (given, code, param) => {
  const error = errorOf(() => form(given));
  expect([error.code, error.param]).toEqual([code, param]);
});

test.each([
  [{ amount: true }, "parameter_invalid_integer", "amount"],
  [{ amount: 1.5 }, "parameter_invalid_integer", "amount"],
  [{ amount: null }, "parameter_invalid_empty", "amount"],
  [{ amount: [1] }, "parameter_invalid_integer", "amount"],
  [{ amount: 1, name: { a: 1 } }, undefined, "name"],
  [{ amount: 1, name: "\ud800" }, undefined, "name"],
  [{ amount: 1, metadata: { a: { b: 1 } } }, undefined, "metadata[a]"],
  [{ amount: 1, expand: "customer" }, undefined, "expand"],
  [{ amount: 1, source: [] }, undefined, "source"],
])("the JSON %j is refused with %s for %s", (given, code, param) => {
  const error = errorOf(() => json(given));
  expect([error.code, error.param]).toEqual([code, param]);
});

test.each([
  '{"amount":1e400}',
  '{"amount":9007199254740993}',
  '{"amount":1,"metadata":{"a":1e400}}',
  "[1]",
  "1",
  "null",
  '{"a"',
  '{"amount":1,"__proto__":{"x":1}}',
])("the JSON text %s is refused", (given) => {
  errorOf(() => decode(schema, parseJson(given)));
});

test("JSON is bounded in depth and number", () => {
  expect(errorOf(() => parseJson(`${'{"a":'.repeat(33)}1${"}".repeat(33)}`)).message).toContain("nested");
  expect(errorOf(() => parseJson(`[${"[".repeat(20_000)}`)).message).toContain("JSON");
  expect(errorOf(() => parseJson(JSON.stringify({ a: Array.from({ length: 1_001 }, () => 1) }))).message).toContain(
    "1000",
  );
});

test("unknown parameters are named together, and come before anything else", () => {
  expect(errorOf(() => form("a=1&b[c]=2")).message).toBe("Received unknown parameters: a, b");
});

test("no message repeats a card number, wherever it was written", () => {
  const number = "4242 4242 4242 4242";
  const texts = [
    `amount=${number}`,
    `${number}=1`,
    `amount=1&reason=${number}`,
    `amount=1&metadata[${number}${number}${number}]=1`,
  ];
  for (const given of texts)
    expect(JSON.stringify(errorOf(() => form(given.replaceAll(" ", "")))).match(/\d{12}/)).toBeNull();
});

test("whatever is given, what comes out is what the schema says, or a Problem", () => {
  const schemas: TObject[] = [schema, billingDetails];
  const name = fc.constantFrom(
    "amount",
    "name",
    "email",
    "items",
    "source",
    "metadata",
    "created",
    "expand",
    "address",
    "line1",
    "x",
    "__proto__",
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 0 }),
      fc.constantFrom("1", "true", "", "a@b"),
      fc.dictionary(name, tie("tree"), { maxKeys: 5 }),
      fc.array(tie("tree"), { maxLength: 3 }),
    ),
  }));
  fc.assert(
    fc.property(fc.constantFrom(...schemas), fc.dictionary(name, tree, { maxKeys: 6 }), (which, given) => {
      try {
        expect(Check(which, decode(which, parseJson(JSON.stringify(given))))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(Problem);
      }
    }),
    { numRuns: 2_000 },
  );
});
