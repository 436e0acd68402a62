import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BackupRefusal } from "./refusal.ts";

/** One file of a backup, by its path in it. */
export interface BackupFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a backup holds. Its own hash stands beside it, and seals the secrets: neither half goes with another backup. */
export interface Manifest {
  /** Of this form of backup. */
  readonly format: 1;
  readonly time: string;
  /** The files of an embedded Postgres, or what pg_dump wrote. */
  readonly database: "files" | "dump";
  /** The major version of the Postgres. */
  readonly major: number;
  readonly isSealed: boolean;
  /** Folders of the database that are empty in a backup, and must be there. */
  readonly folders: readonly string[];
  readonly files: readonly BackupFile[];
}

const NAME = "manifest.json";
const HASH_NAME = "manifest.sha256";

/** Writes the manifest and its hash, which is returned. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<Buffer> {
  const text = `${JSON.stringify(manifest, undefined, 1)}\n`;
  const hash = createHash("sha256").update(text).digest();
  await writeFile(join(folder, NAME), text, { mode: 0o600, flush: true });
  await writeFile(join(folder, HASH_NAME), `${hash.toString("hex")}\n`, { mode: 0o600, flush: true });
  return hash;
}

/** Reads the manifest and its hash. Refuses what is no whole backup. */
export async function readManifest(folder: string): Promise<{ manifest: Manifest; hash: Buffer }> {
  const [text, given] = await Promise.all(
    [NAME, HASH_NAME].map((name) => readFile(join(folder, name), "utf8").catch(() => undefined)),
  );
  if (text === undefined || given === undefined) {
    throw new BackupRefusal(`${folder} is no whole backup: it has no ${text === undefined ? NAME : HASH_NAME}`);
  }
  const hash = createHash("sha256").update(text).digest();
  if (hash.toString("hex") !== given.trim())
    throw new BackupRefusal(`${folder} is damaged: ${NAME} is not as it was written`);
  const manifest: Manifest = JSON.parse(text);
  if (manifest.format !== 1)
    throw new BackupRefusal(`${folder} was written by another Tripe, in a form this one does not know`);
  return { manifest, hash };
}

/** Copies a file, at most `bytesMax` of it, and says what was copied. Undefined when there is no such file. */
export async function copyFile(
  from: string,
  { to, path, bytesMax }: { to: string; path: string; bytesMax?: number },
): Promise<BackupFile | undefined> {
  const target = join(to, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const hash = createHash("sha256");
  let bytes = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    if (bytesMax === 0) await writeFile(target, "", { mode: 0o600 });
    else {
      const source = createReadStream(from, bytesMax === undefined ? {} : { end: bytesMax - 1 });
      await pipeline(source, counting, createWriteStream(target, { mode: 0o600, flush: true }));
    }
  } catch (error) {
    // Tables are dropped while their files are copied: what recovery needs of them is in the write-ahead log.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return { path, bytes, sha256: hash.digest("hex") };
}

/** Writes a file of a backup. */
export async function writeBackupFile(
  to: string,
  { path, content }: { path: string; content: string },
): Promise<BackupFile> {
  await writeFile(join(to, path), content, { mode: 0o600, flush: true });
  const bytes = Buffer.from(content);
  return { path, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Says of a file of a backup what it holds. */
export async function describeFile(folder: string, path: string): Promise<BackupFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(join(folder, path))) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { path, bytes, sha256: hash.digest("hex") };
}

/** Copies a file of a backup and compares it with its manifest. Refuses one that is missing or other than it was. */
export async function restoreFile(
  folder: string,
  file: BackupFile,
  to: { folder: string; path: string },
): Promise<void> {
  const copied = await copyFile(join(folder, file.path), { to: to.folder, path: to.path });
  if (copied?.sha256 === file.sha256) return;
  const what =
    copied === undefined ? "is missing" : `has ${copied.bytes} bytes and not the ${file.bytes} that were written`;
  throw new BackupRefusal(
    `${folder} is damaged: ${file.path} ${copied?.bytes === file.bytes ? "is not as it was written" : what}`,
  );
}

/** Has a folder's names on disk. Windows knows no such thing. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
