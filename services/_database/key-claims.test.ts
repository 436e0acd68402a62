import { expect, test } from "vitest";
import { addKey, createKeyRing, type KeyKind, type KeyRing, keepFirstKey, keyKinds } from "../_runtime/key-ring.ts";
import { type Claims, judgeKeys, type KeyRings } from "./key-claims.ts";

const where = { dataDir: "/data", place: "127.0.0.1:8090", cardKey: undefined };

function setup() {
  const rings = new Map<KeyKind, KeyRing>(keyKinds.map((kind) => [kind, createKeyRing(kind)]));
  const known = new Map([...rings].map(([kind, ring]): [string, string[]] => [kind, ring.keys.map(({ id }) => id)]));
  known.set("fingerprint", [rings.get("card")?.fingerprint?.id ?? ""]);
  const claims: Claims = { isUsed: true, known, sealedIds: [], opensRole: undefined };
  return { rings, claims };
}

function without(rings: KeyRings, kind: KeyKind, ring?: KeyRing): KeyRings {
  return new Map([
    ...[...rings].filter(([one]) => one !== kind),
    ...(ring === undefined ? [] : [[kind, ring] as const]),
  ]);
}

test("a fresh database takes any keys, and none", () => {
  const { rings } = setup();
  const claims = { isUsed: false, known: new Map(), sealedIds: [], opensRole: undefined };
  expect([judgeKeys(rings, claims, where), judgeKeys(new Map(), claims, where)]).toEqual([undefined, undefined]);
});

test.each(keyKinds)(
  "a database refuses a folder without its %s key, or with another, and takes a new one in front",
  (kind) => {
    const { rings, claims } = setup();
    expect(judgeKeys(rings, claims, where)).toBe(undefined);
    expect(judgeKeys(without(rings, kind), claims, where)).toMatch(
      `/data/secrets/${kind}.key is missing, and the database 127.0.0.1:8090 was written with it: restore the secrets folder`,
    );
    const ring = rings.get(kind) ?? createKeyRing(kind);
    expect(judgeKeys(without(rings, kind, addKey(ring)), claims, where)).toBe(undefined);
    const other = judgeKeys(without(rings, kind, keepFirstKey(addKey(ring))), claims, where);
    expect(other).toContain(`/data/secrets/${kind}.key lacks the key ${ring.first.id}, with which`);
  },
);

test("a database whose keys were never claimed is known by its sealed cards and its roles", () => {
  const { rings, claims } = setup();
  const id = rings.get("card")?.first.id ?? "";
  const old = { ...claims, known: new Map(), sealedIds: [id] };
  expect(judgeKeys(rings, { ...old, opensRole: true }, where)).toBe(undefined);
  expect(judgeKeys(without(rings, "webhook"), old, where)).toBe(undefined);
  expect(judgeKeys(without(rings, "request"), old, where)).toContain("request.key is missing");
  expect(judgeKeys(rings, { ...old, sealedIds: [id, "00000000"] }, where)).toContain("lacks the key 00000000");
  expect(judgeKeys(rings, { ...old, opensRole: false }, where)).toContain("would lock that Tripe out");
  expect(judgeKeys(new Map(), old, where)).toContain("belongs to the keys of another data folder");
});

test("given card keys are named by their setting", () => {
  const { rings, claims } = setup();
  const given = without(rings, "card", createKeyRing("card"));
  expect(judgeKeys(given, claims, { ...where, cardKey: "given" })).toMatch(/^TRIPE_CARD_KEY lacks the key/);
});
