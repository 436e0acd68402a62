import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MetadataPatchSchema } from "../../gen/tripe/billing/v1/metadata_pb.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { patchMetadata } from "./metadata.ts";

const words = fc.string({ maxLength: 5 });
const maps = fc.dictionary(words, words, { maxKeys: 20, noNullPrototype: true });

test("patchMetadata without a patch leaves a copy", () => {
  const current = { a: "1" };
  expect(patchMetadata(current, undefined)).toEqual(current);
  expect(patchMetadata(current, undefined)).not.toBe(current);
});

test("patchMetadata clears first, takes away next, sets last", () => {
  const patch = create(MetadataPatchSchema, { isCleared: true, unset: ["b"], set: { b: "3", c: "4" } });
  expect(patchMetadata({ a: "1", b: "2" }, patch)).toEqual({ b: "3", c: "4" });
});

test("patchMetadata gives each key what the patch says, and else what it had", () => {
  fc.assert(
    fc.property(maps, maps, fc.array(words, { maxLength: 5 }), fc.boolean(), (current, set, unset, isCleared) => {
      fc.pre(![current, set].some((map) => Object.hasOwn(map, "__proto__")));
      const next = patchMetadata(current, create(MetadataPatchSchema, { set, unset, isCleared }));
      for (const key of new Set([...Object.keys(current), ...Object.keys(set)])) {
        const kept = isCleared || unset.includes(key) ? undefined : current[key];
        expect(Object.hasOwn(next, key) ? next[key] : undefined).toBe(Object.hasOwn(set, key) ? set[key] : kept);
      }
    }),
  );
});

test("patchMetadata holds 50 keys and refuses 51", () => {
  const set = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));
  const full = patchMetadata({}, create(MetadataPatchSchema, { set: set(50) }));
  expect(Object.keys(full)).toHaveLength(50);
  let refused: unknown;
  try {
    patchMetadata(full, create(MetadataPatchSchema, { set: { more: "v" } }));
  } catch (error) {
    refused = error;
  }
  expect(refusalOf(refused)).toMatchObject({ reason: "METADATA_TOO_MANY_KEYS", field: "metadata" });
});
