import { createHash, hkdfSync, randomBytes } from "node:crypto";
import { join } from "node:path";
import { inspect } from "node:util";

/** The keys that belong to a database, each kind a file of its own in `<data dir>/secrets`. */
export const keyKinds = ["card", "request", "database", "webhook"] as const;

/** What a key is for: card numbers, digests of requests and links, passwords of database roles, webhook secrets. */
export type KeyKind = (typeof keyKinds)[number];

/** One key of 32 bytes. `id` is public: eight hexadecimal digits of a hash of it. Prints as `[redacted]`. */
export interface RingKey {
  readonly id: string;
  readonly bytes: Uint8Array;
  toJSON(): string;
}

/**
 * The keys of one kind, the newest first: the first is used for what is new, and what any of them made is still accepted. So a key is
 * rotated by a new one put before it, and the old one is removed once nothing needs it.
 */
export interface KeyRing {
  readonly kind: KeyKind;
  readonly first: RingKey;
  readonly keys: readonly RingKey[];
  /** Of the card keys alone: the key of cards' fingerprints, which outlives the others so that a card keeps its fingerprint. */
  readonly fingerprint: RingKey | undefined;
}

/** Bytes of a key: for AES-256, and as long as the output of HMAC-SHA-256. */
export const KEY_BYTES = 32;

const FINGERPRINT_PREFIX = "fingerprint:";

/**
 * Reads a ring from text: entries between commas or line ends, each 32 bytes in base64 or hexadecimal, the newest first; of card keys one
 * entry may be `fingerprint:` and a key, without which the oldest key gives it. Throws, without the text, when it is malformed.
 */
export function parseKeyRing(kind: KeyKind, text: string): KeyRing {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
  const keys = entries
    .filter((entry) => !entry.startsWith(FINGERPRINT_PREFIX))
    .map((entry) => createKey(kind, parseKey(kind, entry)));
  const [first, oldest] = [keys[0], keys.at(-1)];
  if (first === undefined || oldest === undefined) throw new Error(`The ${kind} keyring holds no key`);
  if (kind !== "card") return { kind, first, keys, fingerprint: undefined };
  const given = entries.find((entry) => entry.startsWith(FINGERPRINT_PREFIX));
  const bytes =
    given === undefined
      ? deriveKey(oldest.bytes, { kind, salt: "", purpose: "fingerprint" })
      : parseKey(kind, given.slice(FINGERPRINT_PREFIX.length));
  return { kind, first, keys, fingerprint: createKey("fingerprint", bytes) };
}

/** Writes a ring as `parseKeyRing` reads it, one key a line. */
export function formatKeyRing({ kind, keys, fingerprint }: KeyRing): string {
  const encoding = kind === "card" ? "base64" : "hex";
  const lines = keys.map(({ bytes }) => Buffer.from(bytes).toString(encoding));
  if (fingerprint !== undefined) {
    lines.push(`${FINGERPRINT_PREFIX}${Buffer.from(fingerprint.bytes).toString(encoding)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Makes a ring of one fresh key. */
export function createKeyRing(kind: KeyKind): KeyRing {
  const key = createKey(kind, randomBytes(KEY_BYTES));
  const fingerprint = kind === "card" ? createKey("fingerprint", randomBytes(KEY_BYTES)) : undefined;
  return { kind, first: key, keys: [key], fingerprint };
}

/** The ring with a fresh key before the others. */
export function addKey(ring: KeyRing): KeyRing {
  const key = createKey(ring.kind, randomBytes(KEY_BYTES));
  return { ...ring, first: key, keys: [key, ...ring.keys] };
}

/** The ring with its first key alone. */
export function keepFirstKey(ring: KeyRing): KeyRing {
  return { ...ring, keys: [ring.first] };
}

/** Where the keys of a kind are. */
export function keyFile(dataDir: string, kind: KeyKind): string {
  return join(dataDir, "secrets", `${kind}.key`);
}

/** Derives a key for one purpose by HKDF-SHA-256; `salt` is whose it is, such as an account's id. */
export function deriveKey(
  key: Uint8Array,
  { kind, salt, purpose }: { kind: KeyKind; salt: string; purpose: string },
): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, salt, `tripe ${kind} ${purpose} key v1`, KEY_BYTES));
}

function parseKey(kind: KeyKind, entry: string): Uint8Array {
  const key = Buffer.from(entry, /^[0-9a-f]{64}$/i.test(entry) ? "hex" : "base64");
  if (key.length !== KEY_BYTES) throw new Error(`A key of the ${kind} keyring is not the base64 of ${KEY_BYTES} bytes`);
  return key;
}

function createKey(kind: KeyKind | "fingerprint", bytes: Uint8Array): RingKey {
  const id = createHash("sha256").update(`tripe ${kind} key id`).update(bytes).digest("hex").slice(0, 8);
  return { id, bytes, toJSON: redacted, ...{ [inspect.custom]: redacted } };
}

function redacted(): string {
  return "[redacted]";
}
