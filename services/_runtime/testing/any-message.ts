import { create, type DescField, type DescMessage, getOption, ScalarType } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { type FieldRules, field as rulesOption } from "../../../gen/buf/validate/validate_pb.ts";
import type { AnyMessage } from "../host.ts";
import { anyScalar, anySize, mostly } from "./any-value.ts";

/**
 * Any message of a type. Most values keep their rules, so that every rule is met. Parts are so many levels deep at most:
 * recursive messages have to end somewhere, and no contract of Tripe's goes beyond 4.
 */
export function anyMessage(schema: DescMessage, depth = 4): fc.Arbitrary<AnyMessage> {
  const alone = schema.fields.filter((field) => field.oneof === undefined);
  const values = alone.map((field): [string, fc.Arbitrary<unknown>] => [field.localName, anyField(field, depth)]);
  const groups = schema.oneofs.map((group): [string, fc.Arbitrary<unknown>] => [
    group.localName,
    fc.oneof(
      fc.constant({ case: undefined }),
      ...group.fields.map((field) => anyField(field, depth).map((value) => choose(field.localName, value))),
    ),
  ]);
  return fc.record(Object.fromEntries([...values, ...groups])).map((init) => create(schema, init));
}

function choose(name: string, value: unknown): { case: string | undefined; value?: unknown } {
  return value === undefined ? { case: undefined } : { case: name, value };
}

function anyField(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const absent = fc.constant(undefined);
  if (depth === 0 && field.message !== undefined) return absent;
  return mostly(anyContent(field, depth), absent);
}

function anyContent(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const rules = getOption(field, rulesOption);
  const { type } = rules;
  if (field.fieldKind === "list") {
    const list = type.case === "repeated" ? type.value : { minItems: 0n, maxItems: 0n, items: undefined };
    return anySize(rules.required ? 1n : list.minItems, list.maxItems, 2).chain((length) =>
      fc.array(anyItem(field, list.items, depth), { minLength: length, maxLength: length }),
    );
  }
  if (field.fieldKind === "map") {
    const map = type.case === "map" ? type.value : { minPairs: 0n, maxPairs: 0n, keys: undefined, values: undefined };
    const pair = fc.tuple(anyScalar(ScalarType.STRING, map.keys), anyItem(field, map.values, depth));
    return anySize(map.minPairs, map.maxPairs, 2)
      .chain((size) => fc.array(pair, { minLength: size, maxLength: size }))
      .map((pairs) => Object.fromEntries(pairs));
  }
  return anyItem(field, rules, depth);
}

function anyItem(field: DescField, rules: FieldRules | undefined, depth: number): fc.Arbitrary<unknown> {
  if (field.message !== undefined) return anyMessage(field.message, depth - 1);
  if (field.scalar !== undefined) return anyScalar(field.scalar, rules);
  const defined = field.enum?.values.map(({ number }) => number) ?? [];
  return mostly(fc.constantFrom(...defined), fc.integer({ min: -1, max: 20 }));
}
