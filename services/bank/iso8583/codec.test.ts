import fc from "fast-check";
import { expect, test } from "vitest";
import { CodecError, decode, encode, type Message } from "./codec.ts";
import { FIELD_NUMBERS, FIELDS, type Field, type FieldNumber } from "./fields.ts";

const CHARACTERS: Record<Field["alphabet"], string> = {
  n: "0123456789",
  an: "0123456789ABCXYZabcxyz",
  ans: " !0123456789ABCXYZabcxyz_-~",
};

function values(number: FieldNumber): fc.Arbitrary<string> {
  const field: Field = FIELDS[number];
  const unit = fc.constantFrom(...CHARACTERS[field.alphabet]);
  return fc.string({ unit, minLength: field.form === "fixed" ? field.lengthMax : 1, maxLength: field.lengthMax });
}

const messages: fc.Arbitrary<Message> = fc.record({
  type: fc.constantFrom("0100", "0110", "0200", "0210", "0221", "0400", "0401", "0600", "0800", "0810"),
  fields: fc.record(Object.fromEntries(FIELD_NUMBERS.map((number) => [number, values(number)])), { requiredKeys: [] }),
});

function setup(): { purchase: Message; bytes: Buffer } {
  const purchase: Message = {
    type: "0200",
    fields: {
      2: "4242424242424242",
      3: "000000",
      4: "000000002000",
      11: "000001",
      39: "00",
      49: "840",
      63: "at_1",
    },
  };
  return { purchase, bytes: encode(purchase) };
}

function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof CodecError) return `${error.problem} at ${error.place}`;
    throw error;
  }
  return "none";
}

test("encode writes the very bytes of a purchase", () => {
  const { bytes } = setup();
  const parts = [
    "0200",
    "7020000002008002",
    "164242424242424242",
    "000000",
    "000000002000",
    "000001",
    "00",
    "840",
    "004at_1",
  ];
  expect(bytes.toString("latin1")).toBe(parts.join(""));
});

test("encode adds a second bitmap only for elements above 64", () => {
  const signOn = encode({ type: "0800", fields: { 11: "000001", 70: "001" } });
  expect(signOn.toString("latin1")).toBe(["0800", "8020000000000000", "0400000000000000", "000001", "001"].join(""));
});

test("decode gives back every message that encode wrote", () => {
  fc.assert(
    fc.property(messages, (message) => {
      expect(decode(encode(message))).toEqual(message);
    }),
  );
});

test("decode refuses every prefix of every message", () => {
  fc.assert(
    fc.property(messages, fc.nat(), (message, seed) => {
      const bytes = encode(message);
      expect(() => decode(bytes.subarray(0, seed % bytes.length))).toThrow(CodecError);
    }),
  );
  const { bytes } = setup();
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decode(bytes.subarray(0, length)), `prefix of ${length}`).toThrow(CodecError);
  }
});

test("decode refuses bytes after the last element", () => {
  const { bytes } = setup();
  expect(problem(() => decode(Buffer.concat([bytes, Buffer.from("0")])))).toBe("left_over at end");
});

test("decode of mutated bytes is refused or canonical, never anything else", () => {
  fc.assert(
    fc.property(messages, fc.nat(), fc.nat(255), (message, seed, byte) => {
      const bytes = encode(message);
      bytes[seed % bytes.length] = byte;
      try {
        expect(encode(decode(bytes))).toEqual(bytes);
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
      }
    }),
    { numRuns: 1_000 },
  );
});

test("decode of random bytes is refused with a typed error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(() => decode(Buffer.from(bytes))).toThrow(CodecError);
    }),
  );
});

test("an error names the element and the problem, and never a value", () => {
  const { purchase } = setup();
  const withField = (fields: Message["fields"]) => () =>
    encode({ type: "0200", fields: { ...purchase.fields, ...fields } });
  expect(problem(withField({ 2: "4242-4242" }))).toBe("alphabet at 2");
  expect(problem(withField({ 2: "" }))).toBe("length at 2");
  expect(problem(withField({ 2: "42424242424242424242" }))).toBe("length at 2");
  expect(problem(withField({ 4: "2000" }))).toBe("length at 4");
  expect(problem(withField({ 63: "café" }))).toBe("alphabet at 63");
  expect(problem(() => encode({ type: "1200", fields: {} }))).toBe("alphabet at type");
  expect(withField({ 2: "4242-4242" })).toThrow(/^(?!.*4242)/);
});

test("decode names an unknown element, a bad bitmap and a bad length", () => {
  const text = setup().bytes.toString("latin1");
  const broken = (change: (text: string) => string) => problem(() => decode(Buffer.from(change(text), "latin1")));
  expect(broken((whole) => whole.replace("0200702", "0200782"))).toBe("unknown at bitmap");
  expect(broken((whole) => whole.replace("0200702", "0200g02"))).toBe("alphabet at bitmap");
  expect(broken((whole) => whole.replace("164242", "1x4242"))).toBe("alphabet at 2");
  expect(broken((whole) => whole.replace("164242", "004242"))).toBe("length at 2");
  expect(broken((whole) => whole.replace("004at_1", "041at_1"))).toBe("truncated at 63");
  expect(broken(() => "0800".concat("8000000000000000", "0000000000000000"))).toBe("length at bitmap");
});

test("an error after the trace number carries it, so that the request it answers is known", () => {
  const text = setup().bytes.toString("latin1").replace("004at_1", "004at_");
  const work = () => decode(Buffer.from(text, "latin1"));
  expect(work).toThrow(expect.objectContaining({ traceNumber: "000001", place: 63 }));
});
