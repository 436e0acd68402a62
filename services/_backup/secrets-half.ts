import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { BackupRefusal } from "./refusal.ts";

/** The name of the half with the secrets, sealed and not. */
const SEALED_NAME = "secrets.sealed";
const PLAIN_NAME = "secrets.json";

const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** OWASP's first choice of parameters for scrypt (N = 2^17, r = 8, p = 1): 128 MB and some 0.4 s a guess. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 };

const derive: (passphrase: string, salt: Uint8Array, bytes: number, cost: typeof COST) => Promise<Buffer> =
  promisify(scrypt);

/** The files of `<data dir>/secrets`, by their path in it, in base64. */
type Secrets = Readonly<Record<string, string>>;

/** Reads every file of the secrets folder. */
export async function readSecrets(dataDir: string): Promise<Secrets> {
  const folder = join(dataDir, "secrets");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(
    names.map(async (name) => [relative(folder, name).split(sep).join("/"), (await readFile(name)).toString("base64")]),
  );
  return Object.fromEntries(files);
}

/**
 * Writes the secrets, sealed under a passphrase when there is one: salt, nonce, AES-256-GCM under a key by scrypt, and its tag. The hash of
 * the manifest is its associated data: secrets of one backup do not open beside the database of another.
 */
export async function writeSecrets(
  folder: string,
  secrets: Secrets,
  { passphrase, hash }: { passphrase: string | undefined; hash: Buffer },
): Promise<void> {
  const plain = Buffer.from(JSON.stringify(secrets));
  if (passphrase === undefined) {
    await writeFile(join(folder, PLAIN_NAME), plain, { mode: 0o600, flush: true });
    return;
  }
  const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)];
  const cipher = createCipheriv("aes-256-gcm", await derive(passphrase, salt, KEY_BYTES, COST), nonce);
  cipher.setAAD(hash);
  const sealed = Buffer.concat([salt, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  await writeFile(join(folder, SEALED_NAME), sealed, { mode: 0o600, flush: true });
}

/** Opens the secrets of a backup. Refuses a wrong passphrase, or none, and secrets that are not those of this manifest. */
export async function openSecrets(
  folder: string,
  { isSealed, passphrase, hash }: { isSealed: boolean; passphrase: string | undefined; hash: Buffer },
): Promise<Secrets> {
  const name = isSealed ? SEALED_NAME : PLAIN_NAME;
  const bytes = await readFile(join(folder, name)).catch(() => undefined);
  if (bytes === undefined) throw new BackupRefusal(`${folder} is damaged: ${name} is missing`);
  if (!isSealed) return JSON.parse(bytes.toString("utf8"));
  if (passphrase === undefined) {
    throw new BackupRefusal(
      `the secrets of ${folder} are sealed: set TRIPE_BACKUP_PASSPHRASE_FILE, or type the passphrase when asked`,
    );
  }
  const salt = bytes.subarray(0, SALT_BYTES);
  const nonce = bytes.subarray(SALT_BYTES, SALT_BYTES + NONCE_BYTES);
  try {
    const key = await derive(passphrase, salt, KEY_BYTES, COST);
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(hash);
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const sealed = bytes.subarray(SALT_BYTES + NONCE_BYTES, -TAG_BYTES);
    return JSON.parse(Buffer.concat([decipher.update(sealed), decipher.final()]).toString("utf8"));
  } catch (cause) {
    throw new BackupRefusal(`the passphrase does not open the secrets of ${folder}, or ${name} is damaged`, { cause });
  }
}

/** Writes the secrets to a data folder, each readable by its owner only. */
export async function placeSecrets(dataDir: string, secrets: Secrets): Promise<void> {
  for (const [path, content] of Object.entries(secrets)) {
    const file = join(dataDir, "secrets", ...path.split("/"));
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, Buffer.from(content, "base64"), { mode: 0o600, flush: true });
  }
}
