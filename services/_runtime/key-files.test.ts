import { readFile, stat, unlink } from "node:fs/promises";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { createTestClock } from "./clock.ts";
import { fixedKeys, makeKeyFile, openKeys, readKeyRing, writeKeyRing } from "./key-files.ts";
import { addKey, createKeyRing, formatKeyRing, keepFirstKey, keyFile, parseKeyRing } from "./key-ring.ts";
import { SealError, seal, sealedWith, unseal } from "./seal.ts";
import { createTestFolder } from "./testing/test-folder.ts";

const owner = { accountId: "acct_1", objectId: "we_1" };

async function setup() {
  const file = keyFile(await createTestFolder("tripe-keys-"), "card");
  await makeKeyFile("card", file);
  const clock = createTestClock();
  const ring = parseKeyRing("card", await readFile(file, "utf8"));
  return { file, clock, ring, keys: openKeys({ kind: "card", file, clock }) };
}

test("makeKeyFile makes a file once, readable by its owner only", async () => {
  const { file, ring } = await setup();
  await Promise.all([makeKeyFile("card", file), makeKeyFile("card", file)]);
  expect((await readKeyRing("card", file))?.first.id).toBe(ring.first.id);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("openKeys makes no key, and takes given ones before the file", async () => {
  const { file, clock, ring } = await setup();
  await unlink(file);
  expect(() => openKeys({ kind: "card", file, clock })).toThrow(`${file} is missing`);
  const given = openKeys({ kind: "card", file, given: formatKeyRing(ring), clock });
  expect(given.current().first.id).toBe(ring.first.id);
  expect(await readKeyRing("card", file)).toBe(undefined);
});

test("keys are read again within a second, and at once for an id that is not known", async () => {
  const { file, clock, ring, keys } = await setup();
  const rotated = addKey(ring);
  await writeKeyRing(file, rotated);
  expect(keys.current().first.id).toBe(ring.first.id);
  clock.advance(1_000);
  expect(keys.current().first.id).toBe(rotated.first.id);
  const again = addKey(rotated);
  await writeKeyRing(file, again);
  expect(keys.find(again.first.id)?.id).toBe(again.first.id);
  await unlink(file);
  expect(keys.latest().first.id).toBe(again.first.id);
  expect(keys.find("00000000")).toBe(undefined);
});

test("what an old key sealed opens beside a new one, and no longer once the old one is gone", () => {
  const ring = createKeyRing("webhook");
  const rotated = addKey(ring);
  const [before, both, after] = [ring, rotated, keepFirstKey(rotated)].map((one) =>
    fixedKeys("webhook", formatKeyRing(one)),
  );
  if (before === undefined || both === undefined || after === undefined) throw new Error("three rings");
  const sealed = seal(before, Buffer.from("whsec_1"), owner);
  expect(sealedWith(sealed)).toBe(ring.first.id);
  expect(unseal(both, sealed, owner).toString()).toBe("whsec_1");
  expect(sealedWith(seal(both, Buffer.from("whsec_1"), owner))).toBe(rotated.first.id);
  expect(() => unseal(after, sealed, owner)).toThrow(SealError);
  expect(() => unseal(both, sealed, { ...owner, objectId: "we_2" })).toThrow("tampered");
});

test("a ring reads as it was written, and the fingerprint of cards outlives the key that gave it", () => {
  const old = parseKeyRing("card", Buffer.alloc(32, 1).toString("base64"));
  const rotated = parseKeyRing("card", formatKeyRing(keepFirstKey(addKey(old))));
  expect(rotated.fingerprint?.id).toBe(old.fingerprint?.id);
  expect(rotated.first.id).not.toBe(old.first.id);
  const request = createKeyRing("request");
  expect(parseKeyRing("request", formatKeyRing(request)).first.id).toBe(request.first.id);
});

test("parseKeyRing refuses what is no key, without repeating it", () => {
  expect(() => parseKeyRing("card", "")).toThrow("holds no key");
  expect(() => parseKeyRing("card", "c2hvcnQ=")).toThrow(/^(?!.*c2hvcnQ).*32 bytes/);
});

test("keys never print", () => {
  const ring = createKeyRing("card");
  const [key = ""] = formatKeyRing(ring).split("\n");
  const prints = JSON.stringify(ring) + inspect(ring, { depth: 9 }) + inspect(ring.first, { depth: 9 });
  expect(prints).not.toContain(key.slice(0, 12));
  expect(prints).not.toMatch(/Uint8Array|Buffer/);
});
