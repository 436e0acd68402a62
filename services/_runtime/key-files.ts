import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { link, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Clock } from "./clock.ts";
import {
  createKeyRing,
  formatKeyRing,
  type KeyKind,
  type KeyRing,
  keyFile,
  keyKinds,
  parseKeyRing,
  type RingKey,
} from "./key-ring.ts";

/** Keys that are read again when their file changed, so that they rotate under a running process. */
export interface KeySource {
  /** The ring as it was within the last second. */
  current(): KeyRing;
  /** The ring as it is now. */
  latest(): KeyRing;
  /** Finds a key by its id; one that is not known is looked for in the file as it is now. */
  find(id: string): RingKey | undefined;
}

/** Whether the file changed is asked this often at most: what one process made with a new key, another finds by the key's id. */
const LOOK_EVERY_MS = 1_000;

/**
 * Opens the keys of a kind: those given, or those of the file. Throws in one sentence when there is no file: keys are made at the first
 * start of a Tripe (services/_supervisor), and never by a service, since one beside a database that has others would be of no use.
 */
export function openKeys(options: {
  readonly kind: KeyKind;
  readonly file: string;
  readonly given?: string | undefined;
  readonly clock: Clock;
}): KeySource {
  const { kind, file, given, clock } = options;
  if (given !== undefined) return fixedKeys(kind, given);
  let stamp = stampOf(file);
  if (stamp === undefined) {
    throw new Error(
      `${file} is missing: copy it from the Tripe this belongs to; npm start makes it, at its first start`,
    );
  }
  let ring = parseKeyRing(kind, readFileSync(file, "utf8"));
  let lookMs = clock.preciseMs();
  const look = () => {
    lookMs = clock.preciseMs();
    const now = stampOf(file);
    // A file that is gone changes nothing for those who have read it.
    if (now === undefined || now === stamp) return;
    ring = parseKeyRing(kind, readFileSync(file, "utf8"));
    stamp = now;
  };
  const latest = () => {
    look();
    return ring;
  };
  return {
    current() {
      if (clock.preciseMs() - lookMs >= LOOK_EVERY_MS) look();
      return ring;
    },
    latest,
    find(id) {
      return ring.keys.find(isKey) ?? latest().keys.find(isKey);
      function isKey(key: RingKey): boolean {
        return key.id === id;
      }
    },
  };
}

/** Keys of a text that does not change while this process runs. */
export function fixedKeys(kind: KeyKind, text: string): KeySource {
  const ring = parseKeyRing(kind, text);
  return { current: () => ring, latest: () => ring, find: (id) => ring.keys.find((key) => key.id === id) };
}

/** Reads a ring from its file; undefined when there is none. */
export async function readKeyRing(kind: KeyKind, file: string): Promise<KeyRing | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  try {
    return text === undefined ? undefined : parseKeyRing(kind, text);
  } catch (cause) {
    throw new Error(`${file} is damaged: restore the secrets folder from its backup`, { cause });
  }
}

/** Makes the file with a fresh key, readable by its owner only, unless it is there. Of two that come at once, one makes it. */
export async function makeKeyFile(kind: KeyKind, file: string): Promise<void> {
  const draft = await writeDraft(file, formatKeyRing(createKeyRing(kind)));
  // A link appears whole or not at all, and fails when somebody else was first.
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await rm(draft);
}

/** Makes the file of each kind that has none, except of those kept elsewhere. */
export async function makeKeyFiles(dataDir: string, elsewhere: readonly KeyKind[] = []): Promise<void> {
  for (const kind of keyKinds.filter((one) => !elsewhere.includes(one))) {
    const file = keyFile(dataDir, kind);
    if (stampOf(file) === undefined) await makeKeyFile(kind, file);
  }
}

/** Puts a ring in the place of the one in the file: whole, or not at all. */
export async function writeKeyRing(file: string, ring: KeyRing): Promise<void> {
  await rename(await writeDraft(file, formatKeyRing(ring)), file);
  const folder = await open(dirname(file), "r");
  // Without it the rename may be lost with the machine's power, and with it a key that is in use. Windows knows no such thing.
  await folder.sync().catch(() => undefined);
  await folder.close();
}

async function writeDraft(file: string, text: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${dirname(file)}/.${basename(file)}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, text, { mode: 0o600, flush: true });
  return draft;
}

function stampOf(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat && `${stat.mtimeMs} ${stat.ino} ${stat.size}`;
}
