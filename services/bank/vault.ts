import { createHmac } from "node:crypto";
import { assert } from "../_runtime/assert.ts";
import { BASE62 } from "../_runtime/ids.ts";
import type { KeySource } from "../_runtime/key-files.ts";
import { SEAL_OVERHEAD_BYTES, SealError, seal, unseal } from "../_runtime/seal.ts";
import { createSecret, type Secret } from "../_runtime/secret.ts";
import type { OpenCard } from "./card.ts";

/** Whose card it is. A seal made for one account and payment method opens for no other. */
export interface CardOwner {
  readonly accountId: string;
  readonly paymentMethodId: string;
}

/** Seals and opens cards. */
export interface Vault {
  /** Seals a card for its owner: number and expiry, as services/_runtime/seal.ts seals; always 56 bytes. */
  seal(card: OpenCard, owner: CardOwner): Uint8Array;
  /** Opens a sealed card for its owner. Throws SealError. */
  open(sealed: Uint8Array, owner: CardOwner): OpenCard;
  /** Seals a CVC for the owner of its card; always as long. */
  sealCvc(cvc: Secret, owner: CardOwner): Uint8Array;
  /** Opens a sealed CVC for the owner of its card. Throws SealError. */
  openCvc(sealed: Uint8Array, owner: CardOwner): Secret;
  /** 16 characters of base62 that are the same for the same number in this Tripe and say nothing of it: HMAC-SHA-256. */
  fingerprint(number: Secret): string;
}

/** Makes a vault over the card keys. */
export function createVault(keys: KeySource): Vault {
  return {
    seal: (card, owner) => seal(keys, Buffer.from(writePlain(card), "latin1"), sealOwner(owner)),
    open: (sealed, owner) => {
      if (sealed.length !== SEALED_BYTES) throw new SealError("malformed");
      return readPlain(unseal(keys, sealed, sealOwner(owner)).toString("latin1"));
    },
    sealCvc: (cvc, owner) => seal(keys, Buffer.from(cvc.reveal().padEnd(CVC_CHARS, " "), "latin1"), cvcOwner(owner)),
    openCvc: (sealed, owner) => createSecret(unseal(keys, sealed, cvcOwner(owner)).toString("latin1").trimEnd()),
    fingerprint: (number) => {
      const key = keys.current().fingerprint;
      assert(key !== undefined, "card keys have a key of fingerprints");
      return fingerprint(key.bytes, number);
    },
  };
}

/** The longest number and an expiry of YYMM. Shorter numbers are filled up, so that the length of a seal says nothing. */
const NUMBER_CHARS = 19;
const PLAIN_BYTES = NUMBER_CHARS + 4;
const SEALED_BYTES = PLAIN_BYTES + SEAL_OVERHEAD_BYTES;

/** The longest CVC. */
const CVC_CHARS = 4;

/** A sealed CVC opens as no card, and no card as a CVC. */
function cvcOwner({ accountId, paymentMethodId }: CardOwner) {
  return { accountId, objectId: `${paymentMethodId}/cvc` };
}

function sealOwner({ accountId, paymentMethodId }: CardOwner) {
  return { accountId, objectId: paymentMethodId };
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
