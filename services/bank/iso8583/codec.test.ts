import fc from "fast-check";
import { expect, test } from "vitest";
import { CHARACTERS, createValue, normalizeMessage, renderMessage } from "../testing/render-message.ts";
import { CodecError, decode, encode, type Message } from "./codec.ts";
import { FIELD_NUMBERS, FIELDS, type FieldNumber } from "./fields.ts";

/** Long enough for every fixed element, short enough that a message stays small. */
const LENGTH_MAX = 60;

function values(number: FieldNumber): fc.Arbitrary<string> {
  const field = FIELDS[number];
  const unit = fc.constantFrom(...CHARACTERS[field.alphabet]);
  const maxLength = Math.min(field.lengthMax, LENGTH_MAX);
  return fc
    .string({ unit, minLength: field.form === "fixed" ? field.lengthMax : 1, maxLength })
    .map((characters) => createValue(field, characters));
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

test("decode of mutated bytes is refused, or gives all that it read and nothing else", () => {
  fc.assert(
    fc.property(messages, fc.nat(), fc.nat(255), (message, seed, byte) => {
      const bytes = encode(message);
      bytes[seed % bytes.length] = byte;
      try {
        expect(renderMessage(decode(bytes))).toBe(normalizeMessage(bytes.toString("latin1")));
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
      }
    }),
    { numRuns: 1_000 },
  );
});

test("an element that Tripe does not need may hold anything of its form: what stands around it is read", () => {
  const { purchase } = setup();
  const odd = {
    2: "424242******4242",
    15: "----",
    44: "caf\u00e9 \u0000",
    54: "",
    55: "\u009f\u0026\u0008",
    102: "",
    123: "\u00ff".repeat(999),
    128: "0123456789abcdef",
  };
  const message = { type: "0210", fields: { ...purchase.fields, ...odd } };
  expect(decode(Buffer.from(renderMessage(message), "latin1"))).toEqual(message);
});

test("all 127 elements at their longest are one message that is read back", () => {
  const longest = FIELD_NUMBERS.map((number) => {
    const { alphabet, lengthMax } = FIELDS[number];
    return [
      number,
      createValue(FIELDS[number], CHARACTERS[alphabet].charAt(1).repeat(lengthMax) || "C".repeat(lengthMax)),
    ];
  });
  const message: Message = { type: "0210", fields: Object.fromEntries(longest) };
  expect(longest.length).toBe(127);
  expect(decode(encode(message))).toEqual(message);
  expect(renderMessage(message)).toBe(encode(message).toString("latin1"));
});

test("decode takes a bitmap in small letters, and a second one without a bit", () => {
  const { purchase } = setup();
  const text = renderMessage({ type: "0210", fields: { ...purchase.fields, 14: "3412" } });
  expect(text.slice(4, 20)).toBe("7024000002008002");
  const wide = `${text.slice(0, 4)}F${text.slice(5, 20)}${"0".repeat(16)}${text.slice(20)}`;
  const small = renderMessage({ type: "0210", fields: { 11: "000001", 39: "00", 61: "a", 62: "b", 63: "c" } });
  for (const spelled of [wide, small.replace("00E", "00e")]) {
    expect(spelled === wide || spelled !== small).toBe(true);
    expect(renderMessage(decode(Buffer.from(spelled, "latin1")))).toBe(spelled === wide ? text : small);
  }
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

test("decode names a bad bitmap, a bad length and a bad character", () => {
  const text = setup().bytes.toString("latin1");
  const broken = (change: (text: string) => string) => problem(() => decode(Buffer.from(change(text), "latin1")));
  expect(broken((whole) => whole.replace("0200702", "0200g02"))).toBe("alphabet at bitmap");
  expect(broken((whole) => whole.replace("164242", "1x4242"))).toBe("alphabet at 2");
  expect(broken((whole) => whole.replace("164242", "204242"))).toBe("length at 2");
  expect(broken((whole) => whole.replace("000000002000", "00000000200x"))).toBe("alphabet at 4");
  expect(broken((whole) => whole.replace("004at_1", "000at_1"))).toBe("length at 63");
  expect(broken((whole) => whole.replace("004at_1", "041at_1"))).toBe("truncated at 63");
});

test("an error after the trace number carries it, so that the request it answers is known", () => {
  const text = setup().bytes.toString("latin1").replace("004at_1", "004at_");
  const work = () => decode(Buffer.from(text, "latin1"));
  expect(work).toThrow(expect.objectContaining({ traceNumber: "000001", place: 63 }));
});
