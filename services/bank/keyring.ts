import { createHash, hkdfSync, randomBytes } from "node:crypto";
import { access, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { inspect } from "node:util";
import type { Secret } from "../_runtime/secret.ts";

/**
 * The master keys of the card vault. It seals with the first and opens with any, so a key is rotated by putting a new one before
 * the old ones, and the old one may be deleted when nothing sealed with it is left. Prints as `[redacted]`.
 */
export interface Keyring {
  /** The key to seal with. */
  readonly first: MasterKey;
  /** Finds a key by the id in an envelope; undefined when we do not have it (any more). */
  find(id: string): MasterKey | undefined;
  /** The key of fingerprints; it outlives the master keys, so that a card keeps its fingerprint through a rotation. */
  readonly fingerprintKey: Uint8Array;
  toJSON(): string;
}

/** One master key. `id` is public: eight hexadecimal digits of a hash of it. */
export interface MasterKey {
  readonly id: string;
  /** Gives the data key of an account, 32 bytes: HKDF-SHA-256 with the account's id as salt. */
  dataKey(accountId: string): Uint8Array;
}

/** Bytes of a master key, for AES-256. */
const KEY_BYTES = 32;

/**
 * Reads a keyring from text: entries between commas or line ends, each the base64 of 32 bytes, the newest first; one entry may be
 * `fingerprint:` and base64. Without that one the oldest master key gives the key of fingerprints. Throws, without the text, when it is malformed.
 */
export function parseKeyring(text: string): Keyring {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
  const masters = entries.filter((entry) => !entry.startsWith(FINGERPRINT_PREFIX)).map(parseKey);
  const [first] = masters.map(createMasterKey);
  const oldest = masters.at(-1);
  if (first === undefined || oldest === undefined) throw new Error("The card keyring holds no key");
  const given = entries.find((entry) => entry.startsWith(FINGERPRINT_PREFIX));
  const fingerprintKey =
    given === undefined ? derive(oldest, "", "fingerprint") : parseKey(given.slice(FINGERPRINT_PREFIX.length));
  const byId = new Map(masters.map(createMasterKey).map((key) => [key.id, key]));
  return { first, find: (id) => byId.get(id), fingerprintKey, ...HIDDEN };
}

/** Opens the keyring of a Tripe: the given text, or else the file, which is made with fresh keys and mode 0600 when it is not there. */
export async function openKeyring(settings: { given: Secret | undefined; file: string }): Promise<Keyring> {
  if (settings.given !== undefined) return parseKeyring(settings.given.reveal());
  await mkdir(dirname(settings.file), { recursive: true, mode: 0o700 });
  await makeOnce(settings.file);
  return parseKeyring(await readFile(settings.file, "utf8"));
}

const FINGERPRINT_PREFIX = "fingerprint:";

function parseKey(entry: string): Uint8Array {
  const key = Buffer.from(entry, "base64");
  if (key.length !== KEY_BYTES) throw new Error(`A key of the card keyring is not the base64 of ${KEY_BYTES} bytes`);
  return key;
}

function createMasterKey(key: Uint8Array): MasterKey {
  const id = createHash("sha256").update("tripe card key id").update(key).digest("hex").slice(0, 8);
  return { id, dataKey: (accountId) => derive(key, accountId, "data"), ...HIDDEN };
}

function derive(key: Uint8Array, salt: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, salt, `tripe card ${purpose} key v1`, KEY_BYTES));
}

/** Writes fresh keys, unless the file is there. They are on disk whole before they have their name, so a crash leaves no half keyring. */
async function makeOnce(file: string): Promise<void> {
  if (await access(file).then(isTrue, isFalse)) return;
  const fresh = () => randomBytes(KEY_BYTES).toString("base64");
  const draft = `${file}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, `${fresh()}\n${FINGERPRINT_PREFIX}${fresh()}\n`, { mode: 0o600, flush: true });
  // Linking refuses a name that is taken: of two processes that start at once, one makes the keys and both read them.
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await rm(draft);
}

const isTrue = () => true;
const isFalse = () => false;

/** What JSON and inspection show of an object that holds keys. */
const HIDDEN = { toJSON: () => "[redacted]", [inspect.custom]: () => "[redacted]" };
