import { type DescField, isFieldSet, type Message } from "@bufbuild/protobuf";
import {
  type BytesRules,
  BytesRulesSchema,
  type FieldRules,
  type Int32Rules,
  type Int64Rules,
  type MapRules,
  MapRulesSchema,
  type RepeatedRules,
  RepeatedRulesSchema,
  type StringRules,
  StringRulesSchema,
} from "../../gen/buf/validate/validate_pb.ts";
import { assert } from "./errors.ts";

/** Says in words, protovalidate's, what is wrong with a value; undefined when nothing is. */
export type ValueRule = (value: unknown) => string | undefined;

/** Reads what the rules say of one value; `numbers` are those of the value's enum, if it has one. */
export function readValueRule({ type }: FieldRules, numbers: ReadonlySet<unknown> | undefined): ValueRule | undefined {
  switch (type.case) {
    case undefined:
      return undefined;
    case "string":
      return readTextRule(type.value);
    case "bytes":
      return readBytesRule(type.value);
    case "int32":
    case "int64":
      return readRangeRule(type.value);
    case "enum":
      assert(numbers !== undefined, "only an enum has defined values");
      if (!type.value.definedOnly) return undefined;
      return (value) => (numbers.has(value) ? undefined : "value must be one of the defined enum values");
    default:
      throw new Error(`assertion failed: one value has no ${type.case} rules`);
  }
}

/** Reads what the rules say of a list's length, which is the value. */
export function readItemsRule(rules: RepeatedRules): ValueRule {
  const least = Number(rules.minItems);
  const most = readMost(rules, RepeatedRulesSchema.field.maxItems, rules.maxItems);
  return (length) => {
    assert(typeof length === "number", "a length is a number");
    if (length < least) return `must contain at least ${least} item(s)`;
    return length > most ? `must contain no more than ${most} item(s)` : undefined;
  };
}

/** Reads what the rules say of the number of a map's pairs, which is the value. */
export function readPairsRule(rules: MapRules): ValueRule {
  const least = Number(rules.minPairs);
  const most = readMost(rules, MapRulesSchema.field.maxPairs, rules.maxPairs);
  return (count) => {
    assert(typeof count === "number", "a count is a number");
    if (count < least) return `map must be at least ${least} entries`;
    return count > most ? `map must be at most ${most} entries` : undefined;
  };
}

// A lower bound that is not set is 0 by itself; an upper one would be 0 too.
function readMost(rules: Message, field: DescField, bound: bigint): number {
  return isFieldSet(rules, field) ? Number(bound) : Number.POSITIVE_INFINITY;
}

// A pattern has to mean the same to RE2, for which contracts are written, and to JavaScript: validate.test.ts compares.
function readTextRule(rules: StringRules): ValueRule {
  const { maxLen, pattern } = StringRulesSchema.field;
  const least = Number(rules.minLen);
  const most = readMost(rules, maxLen, rules.maxLen);
  const regex = isFieldSet(rules, pattern) ? new RegExp(rules.pattern, "u") : undefined;
  return (text) => {
    assert(typeof text === "string", "a text's rules are for texts");
    // A character is one or two of JavaScript's units, so that most texts need not be counted.
    if (text.length < 2 * least && countCharacters(text) < least) return `must be at least ${least} characters`;
    if (text.length > most && countCharacters(text) > most) return `must be at most ${most} characters`;
    return regex?.test(text) === false ? `does not match regex pattern \`${rules.pattern}\`` : undefined;
  };
}

function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function readBytesRule(rules: BytesRules): ValueRule {
  const { len, maxLen } = BytesRulesSchema.field;
  const exact = isFieldSet(rules, len) ? Number(rules.len) : undefined;
  const least = Number(rules.minLen);
  const most = readMost(rules, maxLen, rules.maxLen);
  return (bytes) => {
    assert(bytes instanceof Uint8Array, "the rules of bytes are for bytes");
    if (exact !== undefined && bytes.length !== exact) return `must be ${exact} bytes`;
    if (bytes.length < least) return `must be at least ${least} bytes`;
    return bytes.length > most ? `must be at most ${most} bytes` : undefined;
  };
}

function readRangeRule({ greaterThan, lessThan }: Int32Rules | Int64Rules): ValueRule {
  const [low, high] = [greaterThan.value, lessThan.value];
  const isAbove = greaterThan.case === "gt";
  // protovalidate reads bounds that cross as "outside of these": no contract of ours means that.
  if (low !== undefined && high !== undefined) assert(isAbove ? low < high : low <= high, "bounds do not cross");
  const lowWords = low === undefined ? [] : [`greater than ${isAbove ? "" : "or equal to "}${low}`];
  const highWords = high === undefined ? [] : [`less than or equal to ${high}`];
  const words = `must be ${[...lowWords, ...highWords].join(" and ")}`;
  return (number) => {
    assert(typeof number === "number" || typeof number === "bigint", "a number's rules are for numbers");
    if (low !== undefined && (isAbove ? number <= low : number < low)) return words;
    return high !== undefined && number > high ? words : undefined;
  };
}
