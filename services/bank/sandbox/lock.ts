import { DatabaseSync } from "node:sqlite";

/** Another process, or another part of this one, holds the lock. */
export class LockedError extends Error {
  constructor(file: string, options?: ErrorOptions) {
    super(`${file} is held by another process`, options);
    this.name = "LockedError";
  }
}

/**
 * Takes a lock that the operating system lets go of however the process ends, `kill -9` included; gives the function that lets go of it, harmless
 * when called again.
 * Throws LockedError when it is taken.
 *
 * Node has no call for file locks, and a file with a process id in it goes stale and can be taken over twice. SQLite, which is built into
 * Node, takes a real lock on every platform: an empty database file, exclusively opened and never written.
 */
export function lockFile(file: string): () => void {
  const database = new DatabaseSync(file);
  try {
    database.exec("pragma locking_mode = exclusive; begin exclusive");
  } catch (cause) {
    database.close();
    throw new LockedError(file, { cause });
  }
  return () => {
    if (database.isOpen) database.close();
  };
}
