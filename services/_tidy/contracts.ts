import {
  type DescField,
  type DescMessage,
  type DescService,
  getOption,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { type FieldRules, field as rulesOption } from "../../gen/buf/validate/validate_pb.ts";
import { type Finding, find, type Source } from "./source.ts";

/** Finds the fields of requests, however deep, that a caller could fill without end: see 2-contracts.md, point 9. */
export function findUnboundedFields(services: readonly DescService[], protos: readonly Source[]): Finding[] {
  const messages = new Set<DescMessage>();
  for (const { input } of services.flatMap(({ methods }) => methods)) addWithParts(input, messages);
  return [...messages].flatMap((message) =>
    message.fields.flatMap((field) => {
      const missing = missingBound(field);
      return missing === undefined ? [] : [findField(field, protos, missing)];
    }),
  );
}

function addWithParts(message: DescMessage, messages: Set<DescMessage>): void {
  if (messages.has(message) || message.typeName.startsWith("google.protobuf.")) return;
  messages.add(message);
  for (const field of message.fields) if (field.message !== undefined) addWithParts(field.message, messages);
}

function missingBound(field: DescField): string | undefined {
  const rules = hasOption(field, rulesOption) ? getOption(field, rulesOption) : undefined;
  switch (field.fieldKind) {
    case "enum":
      return rules?.type.case === "enum" && rules.type.value.definedOnly ? undefined : "defined_only";
    case "scalar":
      return missingScalarBound(field.scalar, rules);
    case "list":
      return missingListBound(field, rules);
    case "map":
      return missingMapBound(field, rules);
    case "message":
      return undefined;
  }
}

function missingListBound(field: DescField & { fieldKind: "list" }, rules: FieldRules | undefined): string | undefined {
  if (rules?.type.case !== "repeated" || rules.type.value.maxItems === 0n) return "max_items";
  if (field.listKind === "enum") {
    const items = rules.type.value.items;
    return items?.type.case === "enum" && items.type.value.definedOnly ? undefined : "items.defined_only";
  }
  if (field.listKind === "message") return undefined;
  const missing = missingScalarBound(field.scalar, rules.type.value.items);
  return missing === undefined ? undefined : `items.${missing}`;
}

function missingMapBound(field: DescField & { fieldKind: "map" }, rules: FieldRules | undefined): string | undefined {
  if (rules?.type.case !== "map" || rules.type.value.maxPairs === 0n) return "max_pairs";
  const key = missingScalarBound(field.mapKey, rules.type.value.keys);
  if (key !== undefined) return `keys.${key}`;
  const value = field.mapKind === "scalar" ? missingScalarBound(field.scalar, rules.type.value.values) : undefined;
  return value === undefined ? undefined : `values.${value}`;
}

function missingScalarBound(scalar: ScalarType, rules: FieldRules | undefined): string | undefined {
  switch (scalar) {
    case ScalarType.BOOL:
      return undefined;
    case ScalarType.STRING:
      return rules?.type.case === "string" && isTextBounded(rules.type.value) ? undefined : "max_len";
    case ScalarType.BYTES:
      return rules?.type.case === "bytes" && (rules.type.value.maxLen > 0n || rules.type.value.len > 0n)
        ? undefined
        : "max_len";
    case ScalarType.INT32:
    case ScalarType.INT64:
      return missingRange(rules);
    default:
      return "a rule: our subset of protovalidate has none for this type";
  }
}

// A pattern bounds a text when it is anchored and repeats nothing without end.
function isTextBounded({ maxLen, pattern }: { maxLen: bigint; pattern: string }): boolean {
  return maxLen > 0n || (/^\^.*\$$/.test(pattern) && !/[*+]|,\}/.test(pattern));
}

function missingRange(rules: FieldRules | undefined): string | undefined {
  if (rules?.type.case !== "int32" && rules?.type.case !== "int64") return "gte and lte";
  const { greaterThan, lessThan } = rules.type.value;
  if (greaterThan.case === undefined) return lessThan.case === undefined ? "gte and lte" : "gte";
  return lessThan.case === undefined ? "lte" : undefined;
}

function findField(field: DescField, protos: readonly Source[], missing: string): Finding {
  const path = `proto/${field.parent.file.name}.proto`;
  const problem = `${field.parent.typeName}.${field.name} has no ${missing}`;
  const proto = protos.find((source) => source.path === path);
  const message = proto?.text.indexOf(`message ${field.parent.name} {`) ?? -1;
  const offset = proto?.text.slice(message).search(new RegExp(`\\b${field.name} = ${field.number}\\b`)) ?? -1;
  return proto === undefined
    ? `${path}:1 ${problem}`
    : find(proto, Math.max(message, 0) + Math.max(offset, 0), problem);
}
