import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { KeySource } from "./key-files.ts";
import { deriveKey, type KeyKind, type RingKey } from "./key-ring.ts";

/** Whose a sealed value is: made for one owner, it opens for no other. */
export interface SealOwner {
  readonly accountId: string;
  /** The object within the account that holds it. */
  readonly objectId: string;
}

/** Why a sealed value does not open. `tampered` also means: sealed for another owner. */
export type SealProblem = "malformed" | "unknown_key" | "tampered";

/** A sealed value that does not open. */
export class SealError extends Error {
  readonly problem: SealProblem;

  constructor(problem: SealProblem, options?: ErrorOptions) {
    super(`The sealed value does not open: ${problem}`, options);
    this.name = "SealError";
    this.problem = problem;
  }
}

const VERSION = 1;
const KEY_ID_BYTES = 4;
/** The nonce length GCM is made for (NIST SP 800-38D, 8.2.2): at random, good for 2^32 seals per account and key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES;

/** How much longer a sealed value is than what it holds. */
export const SEAL_OVERHEAD_BYTES = HEAD_BYTES + NONCE_BYTES + TAG_BYTES;

/** Seals with the first key of a ring: version 1, key id, nonce, then AES-256-GCM under the account's data key, and its tag. */
export function seal(keys: KeySource, plain: Uint8Array, owner: SealOwner): Uint8Array {
  const { kind, first } = keys.current();
  const head = Buffer.concat([Buffer.from([VERSION]), Buffer.from(first.id, "hex")]);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", dataKey(kind, first, owner), nonce);
  cipher.setAAD(associatedData(head, owner));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([head, nonce, sealed, cipher.getAuthTag()]);
}

/** Opens what `seal` made for this owner, with whichever key of the ring it names. Throws SealError. */
export function unseal(keys: KeySource, envelope: Uint8Array, owner: SealOwner): Buffer {
  const bytes = Buffer.from(envelope);
  const id = sealedWith(bytes);
  if (id === undefined) throw new SealError("malformed");
  const key = keys.find(id);
  if (key === undefined) throw new SealError("unknown_key");
  const head = bytes.subarray(0, HEAD_BYTES);
  const nonce = bytes.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES);
  const { kind } = keys.current();
  const decipher = createDecipheriv("aes-256-gcm", dataKey(kind, key, owner), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(head, owner));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES + NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new SealError("tampered", { cause });
  }
}

/** Seals a text. */
export function sealText(keys: KeySource, text: string, owner: SealOwner): Uint8Array {
  return seal(keys, Buffer.from(text, "utf8"), owner);
}

/** Opens a sealed text. Throws SealError. */
export function unsealText(keys: KeySource, envelope: Uint8Array, owner: SealOwner): string {
  return unseal(keys, envelope, owner).toString("utf8");
}

/** The id of the key that a value was sealed with; undefined of what is no sealed value. */
export function sealedWith(envelope: Uint8Array): string | undefined {
  if (envelope.length < SEAL_OVERHEAD_BYTES || envelope[0] !== VERSION) return undefined;
  return Buffer.from(envelope.subarray(1, HEAD_BYTES)).toString("hex");
}

/** Data keys by the key they are derived from, which goes with its generation, and by account: deriving one takes as long as sealing. */
const dataKeys = new WeakMap<RingKey, Map<string, Uint8Array>>();

// Some 200 KB a key. Beyond it the cache begins anew: that costs a derivation an account.
const DATA_KEYS_MAX = 1_000;

function dataKey(kind: KeyKind, key: RingKey, { accountId }: SealOwner): Uint8Array {
  const ofKey = dataKeys.get(key) ?? new Map<string, Uint8Array>();
  const known = ofKey.get(accountId);
  if (known !== undefined) return known;
  if (ofKey.size >= DATA_KEYS_MAX) ofKey.clear();
  const derived = deriveKey(key.bytes, { kind, salt: accountId, purpose: "data" });
  ofKey.set(accountId, derived);
  dataKeys.set(key, ofKey);
  return derived;
}

/** Head and owner; JSON quotes the ids, so that no two owners have the same bytes. */
function associatedData(head: Buffer, { accountId, objectId }: SealOwner): Buffer {
  return Buffer.concat([head, Buffer.from(JSON.stringify([accountId, objectId]))]);
}
