import { create, type DescField, type DescMessage, type MessageShape, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence, TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { MoneySchema } from "../../gen/tripe/type/v1/money_pb.ts";
import { currencies } from "../_runtime/currency.ts";

// A quarter of what a JSON number carries: sums and differences of two are still on the safe side.
const AMOUNT_MAX_MINOR = 2n ** 51n;

/** Makes any message of a type, from its descriptor: every field of it, so that a new field is tried without a word here. */
export function anyMessage<Desc extends DescMessage>(desc: Desc): fc.Arbitrary<MessageShape<Desc>> {
  const fields = Object.fromEntries(desc.members.flatMap(anyMember));
  // The descriptor says which field holds what; the compiler cannot follow a record made from it.
  return fc.record(fields).map((init) => create(desc, init as Parameters<typeof create<Desc>>[1]));
}

function anyMember(member: DescMessage["members"][number]): [string, fc.Arbitrary<unknown>][] {
  if (member.kind !== "oneof") return [[member.localName, anyField(member)]];
  const cases = member.fields.map((field) =>
    anyMessage(messageOf(field)).map((value) => ({ case: field.localName, value })),
  );
  return [[member.localName, fc.oneof(...cases)]];
}

function anyField(field: DescField): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case "scalar":
      return field.presence === FeatureSet_FieldPresence.EXPLICIT
        ? anyOptionalScalar(field)
        : anyScalar(field.scalar, field.name);
    case "enum":
      return fc.constantFrom(...field.enum.values.map(({ number }) => number).filter((number) => number > 0));
    case "message":
      return anyKnownMessage(field.message, field.name);
    case "map":
      return fc.dictionary(fc.string({ minLength: 1, maxLength: 40 }), fc.string({ maxLength: 60 }), { maxKeys: 6 });
    case "list":
      return fc.array(anyEntry(field), { maxLength: 3 });
  }
}

function anyEntry(field: DescField & { fieldKind: "list" }): fc.Arbitrary<unknown> {
  return field.listKind === "message" ? anyMessage(field.message) : fc.string({ maxLength: 35 });
}

function anyOptionalScalar({ scalar, name }: { scalar: number; name: string }): fc.Arbitrary<unknown> {
  return fc.option(anyScalar(scalar, name), { nil: undefined });
}

function anyScalar(type: number, name: string): fc.Arbitrary<unknown> {
  const zeroOf = { 3: 0n, 5: 0, 8: false, 9: "" } as Record<number, unknown>;
  const kind = typeof zeroOf[type];
  if (kind === "bigint") return fc.bigInt({ min: 0n, max: AMOUNT_MAX_MINOR });
  if (kind === "number") return fc.integer({ min: 1, max: 9999 });
  if (kind === "boolean") return fc.boolean();
  if (type === ScalarType.BYTES) return fc.uint8Array({ maxLength: 32 });
  if (name === "currency_code") return anyCurrency;
  return fc.oneof(fc.constant(""), fc.string({ unit: "binary", maxLength: 12 }));
}

function anyKnownMessage(desc: DescMessage, name: string): fc.Arbitrary<unknown> {
  if (desc === TimestampSchema) return name === "create_time" ? anyTime : fc.option(anyTime, { nil: undefined });
  if (desc === MoneySchema || ["card", "payment_method", "price", "snapshot"].includes(name)) return anyMessage(desc);
  return fc.option(anyMessage(desc), { nil: undefined });
}

function messageOf(field: DescField): DescMessage {
  if (field.fieldKind !== "message") throw new Error(`${field.name} is no message`);
  return field.message;
}

const anyCurrency = fc.constantFrom(...currencies.map(({ code }) => code));

const anyTime = fc
  .record({ seconds: fc.bigInt({ min: 0n, max: 4_102_444_800n }), nanos: fc.integer({ min: 0, max: 999_999_999 }) })
  .map((time) => create(TimestampSchema, time));
