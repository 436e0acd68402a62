import { ScalarType } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import type { FieldRules } from "../../../gen/buf/validate/validate_pb.ts";

/** Mostly the usual, now and then the rare: a message has many values, and one that breaks a rule hides those behind it. */
export function mostly(usual: fc.Arbitrary<unknown>, rare: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 60, arbitrary: usual }, { weight: 1, arbitrary: rare });
}

/** Any size around two bounds: between them, on them, seldom one beyond; where 0 is no bound, at most `beyond` above. */
export function anySize(least: bigint, most: bigint, beyond: number): fc.Arbitrary<number> {
  const [low, high] = [Number(least), most === 0n ? Number(least) + beyond : Number(most)];
  return fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: low, max: Math.min(high, low + beyond) }) },
    { weight: 2, arbitrary: fc.constantFrom(low, high) },
    { weight: 1, arbitrary: fc.constantFrom(Math.max(0, low - 1), high + 1) },
  );
}

/** Any value of a scalar type, near the bounds of its rules. */
export function anyScalar(scalar: ScalarType, rules: FieldRules | undefined): fc.Arbitrary<unknown> {
  switch (scalar) {
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT32:
      return anyInteger(rules, 32).map(Number);
    case ScalarType.INT64:
      return anyInteger(rules, 64);
    case ScalarType.BYTES:
      return anyBytes(rules);
    case ScalarType.STRING:
      return anyText(rules);
    default:
      throw new Error(`no contract of ours has a field of type ${ScalarType[scalar]}`);
  }
}

function anyInteger(rules: FieldRules | undefined, bits: number): fc.Arbitrary<bigint> {
  const range = rules?.type.case === "int32" || rules?.type.case === "int64" ? rules.type.value : undefined;
  const [least, most] = [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n];
  const [low, high] = [BigInt(range?.greaterThan.value ?? least), BigInt(range?.lessThan.value ?? most)];
  const inside = (value: bigint) => (value < least ? least : value > most ? most : value);
  return fc.oneof(
    { weight: 40, arbitrary: fc.bigInt({ min: inside(low + 1n), max: high }) },
    { weight: 2, arbitrary: fc.constantFrom(low, high) },
    { weight: 1, arbitrary: fc.constantFrom(inside(low - 1n), inside(high + 1n), 0n) },
  );
}

function anyBytes(rules: FieldRules | undefined): fc.Arbitrary<Uint8Array> {
  const bounds = rules?.type.case === "bytes" ? rules.type.value : { len: 0n, minLen: 0n, maxLen: 0n };
  const [least, most] = bounds.len > 0n ? [bounds.len, bounds.len] : [bounds.minLen, bounds.maxLen];
  return anySize(least, most, 3).map((length) => new Uint8Array(length));
}

// Some characters are two of JavaScript's units: protovalidate counts them as one.
function anyText(rules: FieldRules | undefined): fc.Arbitrary<unknown> {
  const bounds = rules?.type.case === "string" ? rules.type.value : { minLen: 0n, maxLen: 0n, pattern: "" };
  const characters = fc.constantFrom("a", "A", "7", "ł", "𝑎", "\n", '"', "\\");
  const text = fc
    .tuple(anySize(bounds.minLen, bounds.maxLen, 3), characters, characters)
    .map(([length, first, rest]) => (length === 0 ? "" : first + rest.repeat(length - 1)));
  return bounds.pattern === "" ? text : mostly(fc.stringMatching(new RegExp(bounds.pattern)), text);
}
