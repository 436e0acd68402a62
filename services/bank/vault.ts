import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { BASE62 } from "../_runtime/ids.ts";
import { createSecret, type Secret } from "../_runtime/secret.ts";
import type { OpenCard } from "./card.ts";
import type { Keyring } from "./keyring.ts";

/** Whose card it is. A seal made for one account and payment method opens for no other. */
export interface CardOwner {
  readonly accountId: string;
  readonly paymentMethodId: string;
}

/** Why a sealed card does not open. `tampered` also means: sealed for another owner. */
export type SealProblem = "malformed" | "unknown_key" | "tampered";

/** A sealed card that does not open. */
export class SealError extends Error {
  readonly problem: SealProblem;

  constructor(problem: SealProblem, options?: ErrorOptions) {
    super(`The sealed card does not open: ${problem}`, options);
    this.name = "SealError";
    this.problem = problem;
  }
}

/** Seals and opens cards. */
export interface Vault {
  /** Seals a card for its owner: version 1, key id, nonce, then AES-256-GCM over number and expiry; always 56 bytes. */
  seal(card: OpenCard, owner: CardOwner): Uint8Array;
  /** Opens a sealed card for its owner. Throws SealError. */
  open(sealed: Uint8Array, owner: CardOwner): OpenCard;
  /** 16 characters of base62 that are the same for the same number in this Tripe and say nothing of it: HMAC-SHA-256. */
  fingerprint(number: Secret): string;
}

/** Makes a vault over a keyring. */
export function createVault(keyring: Keyring): Vault {
  return {
    seal: (card, owner) => seal(keyring, card, owner),
    open: (sealed, owner) => open(keyring, sealed, owner),
    fingerprint: (number) => fingerprint(keyring.fingerprintKey, number),
  };
}

const VERSION = 1;
const KEY_ID_BYTES = 4;
/** The nonce length GCM is made for (NIST SP 800-38D, 8.2.2): at random, good for 2^32 seals per account and key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES;
/** The longest number and an expiry of YYMM. Shorter numbers are filled up, so that the length of a seal says nothing. */
const NUMBER_CHARS = 19;
const PLAIN_BYTES = NUMBER_CHARS + 4;
const SEALED_BYTES = HEAD_BYTES + NONCE_BYTES + PLAIN_BYTES + TAG_BYTES;

function seal(keyring: Keyring, card: OpenCard, owner: CardOwner): Uint8Array {
  const head = Buffer.concat([Buffer.from([VERSION]), Buffer.from(keyring.first.id, "hex")]);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", keyring.first.dataKey(owner.accountId), nonce);
  cipher.setAAD(associatedData(head, owner));
  const sealed = Buffer.concat([cipher.update(writePlain(card), "latin1"), cipher.final()]);
  return Buffer.concat([head, nonce, sealed, cipher.getAuthTag()]);
}

function open(keyring: Keyring, envelope: Uint8Array, owner: CardOwner): OpenCard {
  const bytes = Buffer.from(envelope);
  if (bytes.length !== SEALED_BYTES || bytes[0] !== VERSION) throw new SealError("malformed");
  const head = bytes.subarray(0, HEAD_BYTES);
  const key = keyring.find(head.toString("hex", 1));
  if (key === undefined) throw new SealError("unknown_key");
  const nonce = bytes.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key.dataKey(owner.accountId), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(head, owner));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const sealed = bytes.subarray(HEAD_BYTES + NONCE_BYTES, -TAG_BYTES);
  try {
    return readPlain(Buffer.concat([decipher.update(sealed), decipher.final()]).toString("latin1"));
  } catch (cause) {
    throw new SealError("tampered", { cause });
  }
}

/** Head and owner; JSON quotes the ids, so that no two owners have the same bytes. */
function associatedData(head: Buffer, owner: CardOwner): Buffer {
  return Buffer.concat([head, Buffer.from(JSON.stringify([owner.accountId, owner.paymentMethodId]))]);
}

function writePlain(card: OpenCard): string {
  const month = String(card.expMonth).padStart(2, "0");
  const year = String(card.expYear % 100).padStart(2, "0");
  return card.number.reveal().padEnd(NUMBER_CHARS, " ") + year + month;
}

function readPlain(plain: string): OpenCard {
  return {
    number: createSecret(plain.slice(0, NUMBER_CHARS).trimEnd()),
    expYear: 2_000 + Number(plain.slice(NUMBER_CHARS, NUMBER_CHARS + 2)),
    expMonth: Number(plain.slice(NUMBER_CHARS + 2)),
  };
}

/** 62^16 is 95 bits: a clash among a billion cards has a chance of one in 10^10. */
const FINGERPRINT_CHARS = 16;

function fingerprint(key: Uint8Array, number: Secret): string {
  let rest = BigInt(`0x${createHmac("sha256", key).update(number.reveal()).digest("hex")}`);
  let text = "";
  for (; text.length < FINGERPRINT_CHARS; rest /= 62n) text += BASE62.charAt(Number(rest % 62n));
  return text;
}
