import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

// As long as the HMAC's own output: more would add nothing.
const KEY_BYTES = 32;

/**
 * Reads the key of the HMAC by which repeated requests are known, or makes it once. Every edge of a Tripe must have the
 * same, over every restart: with another key, a repeated request would look like another request. Of two edges that
 * come at once, one writes and both read the same.
 */
export async function keepDigestKey(path: string): Promise<Uint8Array> {
  const kept = await readKey(path);
  if (kept !== undefined) return kept;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, `${randomBytes(KEY_BYTES).toString("hex")}\n`, { mode: 0o600, flush: true });
  try {
    // A link appears whole or not at all, and fails when somebody else was first.
    await link(draft, path);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const made = await readKey(path);
  if (made === undefined) throw new Error(`${path} was there a moment ago and is gone`);
  return made;
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const key = Buffer.from(text.trim(), "hex");
  if (key.length !== KEY_BYTES) throw new Error(`${path} must hold ${KEY_BYTES * 2} hexadecimal digits`);
  return key;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
