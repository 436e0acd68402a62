import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { createSecret } from "../_runtime/secret.ts";
import type { OpenCard } from "./card.ts";
import { openKeyring, parseKeyring } from "./keyring.ts";
import { createVault, SealError } from "./vault.ts";

const OWNER = { accountId: "acct_1", paymentMethodId: "pm_1" };

function freshKey(): string {
  return randomBytes(32).toString("base64");
}

function setup(text = freshKey()) {
  const vault = createVault(parseKeyring(text));
  const card: OpenCard = { number: createSecret("4242424242424242"), expMonth: 6, expYear: 2034 };
  return { vault, card, sealed: vault.seal(card, OWNER), text };
}

function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof SealError) return error.problem;
    throw error;
  }
  return "none";
}

test("a sealed card opens for its owner, and two seals of it differ", () => {
  const { vault, card, sealed } = setup();
  const opened = vault.open(sealed, OWNER);
  expect([opened.number.reveal(), opened.expMonth, opened.expYear]).toEqual(["4242424242424242", 6, 2034]);
  expect(Buffer.from(vault.seal(card, OWNER))).not.toEqual(Buffer.from(sealed));
});

test("a seal has the same length for every number, and does not hold it", () => {
  const { vault } = setup();
  for (const number of ["378282246310005", "6304000000000000", "6200000000000000003"]) {
    const sealed = vault.seal({ number: createSecret(number), expMonth: 12, expYear: 2030 }, OWNER);
    expect(sealed.length).toBe(56);
    expect(Buffer.from(sealed).toString("latin1")).not.toContain(number);
    expect(vault.open(sealed, OWNER).number.reveal()).toBe(number);
  }
});

test("a seal opens for no other account and no other payment method", () => {
  const { vault, sealed } = setup();
  expect(problem(() => vault.open(sealed, { ...OWNER, accountId: "acct_2" }))).toBe("tampered");
  expect(problem(() => vault.open(sealed, { ...OWNER, paymentMethodId: "pm_2" }))).toBe("tampered");
  expect(problem(() => vault.open(sealed, { accountId: 'acct_1","pm', paymentMethodId: "_1" }))).toBe("tampered");
});

test("a flip of any bit of a seal is refused", () => {
  const { vault, sealed } = setup();
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const broken = Buffer.from(sealed);
    const at = bit >> 3;
    broken.writeUInt8(broken.readUInt8(at) ^ (1 << (bit & 7)), at);
    expect(
      problem(() => vault.open(broken, OWNER)),
      `bit ${bit}`,
    ).not.toBe("none");
  }
});

test("a seal cut short or made longer is refused", () => {
  const { vault, sealed } = setup();
  for (let length = 0; length < sealed.length; length++) {
    expect(problem(() => vault.open(sealed.subarray(0, length), OWNER))).toBe("malformed");
  }
  expect(problem(() => vault.open(Buffer.concat([sealed, Buffer.from([0])]), OWNER))).toBe("malformed");
});

test("a rotated keyring seals with the new key, opens what the old one sealed, and refuses it once the old one is gone", () => {
  const { vault, card, sealed, text } = setup();
  const newKey = freshKey();
  const rotated = createVault(parseKeyring(`${newKey},${text}`));
  expect(rotated.open(sealed, OWNER).number.reveal()).toBe("4242424242424242");
  expect(problem(() => vault.open(rotated.seal(card, OWNER), OWNER))).toBe("unknown_key");
  expect(problem(() => createVault(parseKeyring(newKey)).open(sealed, OWNER))).toBe("unknown_key");
  expect(rotated.fingerprint(card.number)).toBe(vault.fingerprint(card.number));
});

test("a fingerprint is the same for a number, differs by number and by Tripe, and is no plain hash", () => {
  const { vault, card } = setup();
  const print = vault.fingerprint(card.number);
  expect(print).toMatch(/^[0-9A-Za-z]{16}$/);
  expect(vault.fingerprint(createSecret("4242424242424242"))).toBe(print);
  expect(vault.fingerprint(createSecret("5555555555554444"))).not.toBe(print);
  expect(setup().vault.fingerprint(card.number)).not.toBe(print);
  expect(createHash("sha256").update(card.number.reveal()).digest("base64")).not.toContain(print);
});

test("a fingerprint key of its own keeps fingerprints when every master key is new", () => {
  const fingerprint = `fingerprint:${freshKey()}`;
  const before = setup(`${freshKey()}\n${fingerprint}`);
  const after = setup(`${freshKey()}\n${fingerprint}`);
  expect(after.vault.fingerprint(after.card.number)).toBe(before.vault.fingerprint(before.card.number));
});

test("openKeyring makes the file once, readable by its owner only, and reads it again", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "tripe-keys-")), "secrets", "card.key");
  const [first, raced] = await Promise.all([
    openKeyring({ given: undefined, file }),
    openKeyring({ given: undefined, file }),
  ]);
  const again = await openKeyring({ given: undefined, file });
  expect([raced.first.id, again.first.id]).toEqual([first.first.id, first.first.id]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("openKeyring takes the given key before the file", async () => {
  const { text } = setup();
  const ring = await openKeyring({ given: createSecret(text), file: "/nowhere/card.key" });
  expect(ring.first.id).toBe(parseKeyring(text).first.id);
});

test("parseKeyring refuses what is no key, without repeating it", () => {
  expect(() => parseKeyring("")).toThrow("holds no key");
  expect(() => parseKeyring("c2hvcnQ=")).toThrow(/^(?!.*c2hvcnQ).*32 bytes/);
});

test("keys never print", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "tripe-keys-")), "card.key");
  const ring = await openKeyring({ given: undefined, file });
  const [key = ""] = (await readFile(file, "utf8")).split("\n");
  const prints = JSON.stringify(ring) + inspect(ring, { depth: 9 }) + inspect(ring.first, { depth: 9 });
  expect(prints).not.toContain(key.slice(0, 12));
  expect(prints).not.toMatch(/Uint8Array/);
});
