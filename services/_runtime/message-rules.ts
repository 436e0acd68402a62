import {
  type DescField,
  type DescMessage,
  getOption,
  isFieldSet,
  isMessage,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import type { Path } from "@bufbuild/protobuf/reflect";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { type FieldRules, field as rulesOption } from "../../gen/buf/validate/validate_pb.ts";
import { assert } from "./errors.ts";
import { readItemsRule, readPairsRule, readValueRule, type ValueRule } from "./value-rules.ts";

/** A rule that is broken: at which field, list item or map key, and in words. */
export interface Violation {
  readonly path: Path;
  readonly words: string;
}

/** Finds the first rule that a value breaks; undefined when it keeps all of them. */
export type Check = (value: unknown) => Violation | undefined;

const checks = new Map<DescMessage, Check>();

/**
 * Reads the rules of a message type and of its parts (proto/buf/validate) into a check, which finds what protovalidate
 * would find first. Each type is read once, at its first message: a start need not wait for all of them.
 */
export function readRules(schema: DescMessage): Check {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  const ofFields: Check[] = [];
  // Known before its fields are read: one of them may hold a message of this very type.
  const check = firstOf(ofFields);
  checks.set(schema, check);
  for (const field of schema.fields) {
    const ofField = readField(field);
    if (ofField !== undefined) ofFields.push(ofField);
  }
  return check;
}

function firstOf(list: readonly Check[]): Check {
  return (value) => {
    for (const check of list) {
      const violation = check(value);
      if (violation !== undefined) return violation;
    }
    return undefined;
  };
}

function readField(field: DescField): Check | undefined {
  const rules = getOption(field, rulesOption);
  const check = readContent(field, rules);
  if (check === undefined && !rules.required) return undefined;
  // A field without presence has its zero when it is not set, and that has to keep the rules.
  const isSkippable = rules.required || field.presence !== FeatureSet_FieldPresence.IMPLICIT;
  return (message) => {
    assert(isMessage(message), "fields are a message's");
    if (isSkippable && !isFieldSet(message, field)) {
      return rules.required ? { path: [field], words: "value is required" } : undefined;
    }
    return below(field, check?.(contentOf(message, field)));
  };
}

function contentOf(message: Message, field: DescField): unknown {
  if (field.oneof === undefined) return Reflect.get(message, field.localName);
  return Reflect.get(Reflect.get(message, field.oneof.localName), "value");
}

function readContent(field: DescField, rules: FieldRules): Check | undefined {
  switch (field.fieldKind) {
    case "list":
      return readList(field, rules);
    case "map":
      return readMap(field, rules);
    default:
      return readItem(field, rules);
  }
}

// What is in a field, a list or a map, one by one.
function readItem({ message, enum: ofEnum }: DescField, rules: FieldRules | undefined): Check | undefined {
  if (message !== undefined) {
    assert(rules?.type.case === undefined, "a message has no rules but those of its fields");
    return readRules(message);
  }
  return rules && ofValue(readValueRule(rules, ofEnum && new Set(ofEnum.values.map(({ number }) => number))));
}

function readList(field: DescField, { type }: FieldRules): Check | undefined {
  const rules = type.case === "repeated" ? type.value : undefined;
  assert(rules !== undefined || type.case === undefined, "rules for a list are a list's");
  const checkSize = rules && ofValue(readItemsRule(rules));
  const checkItem = readItem(field, rules?.items);
  return (list) => {
    assert(Array.isArray(list), "rules for a list are a list's");
    const violation = checkSize?.(list.length);
    if (violation !== undefined || checkItem === undefined) return violation;
    for (let index = 0; index < list.length; index += 1) {
      const found = below({ kind: "list_sub", index }, checkItem(list[index]));
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

function readMap(field: DescField & { fieldKind: "map" }, { type }: FieldRules): Check | undefined {
  const rules = type.case === "map" ? type.value : undefined;
  assert(rules !== undefined || type.case === undefined, "rules for a map are a map's");
  // The keys of JavaScript's objects are texts: those of other maps would have to be turned back.
  assert(field.mapKey === ScalarType.STRING, "the keys of a map are texts");
  const checkSize = rules && ofValue(readPairsRule(rules));
  const checkKey = rules?.keys && ofValue(readValueRule(rules.keys, undefined));
  const checkItem = readItem(field, rules?.values);
  return (map) => {
    assert(typeof map === "object" && map !== null, "rules for a map are a map's");
    const pairs = Object.entries(map);
    const violation = checkSize?.(pairs.length);
    if (violation !== undefined) return violation;
    for (const [key, item] of pairs) {
      const found = below({ kind: "map_sub", key }, checkKey?.(key) ?? checkItem?.(item));
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

function ofValue(rule: ValueRule | undefined): Check | undefined {
  if (rule === undefined) return undefined;
  return (value) => {
    const words = rule(value);
    return words === undefined ? undefined : { path: [], words };
  };
}

function below(step: Path[number], violation: Violation | undefined): Violation | undefined {
  return violation && { path: [step, ...violation.path], words: violation.words };
}
