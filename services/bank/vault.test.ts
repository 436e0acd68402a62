import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { fixedKeys } from "../_runtime/key-files.ts";
import { SealError } from "../_runtime/seal.ts";
import { createSecret } from "../_runtime/secret.ts";
import type { OpenCard } from "./card.ts";
import { createVault } from "./vault.ts";

const OWNER = { accountId: "acct_1", paymentMethodId: "pm_1" };

function freshKey(): string {
  return randomBytes(32).toString("base64");
}

function setup(text = freshKey()) {
  const vault = createVault(fixedKeys("card", text));
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
  const rotated = createVault(fixedKeys("card", `${newKey},${text}`));
  expect(rotated.open(sealed, OWNER).number.reveal()).toBe("4242424242424242");
  expect(problem(() => vault.open(rotated.seal(card, OWNER), OWNER))).toBe("unknown_key");
  expect(problem(() => createVault(fixedKeys("card", newKey)).open(sealed, OWNER))).toBe("unknown_key");
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
