import { createHmac } from "node:crypto";
import { readKeyRing } from "../_runtime/key-files.ts";
import { keyFile, type RingKey } from "../_runtime/key-ring.ts";

/**
 * The password of a database role: HMAC-SHA256 of its name under the data folder's key (`<dataDir>/secrets/database.key`, the newest), in
 * hex. So one kept secret serves every role. Throws in words when there is no such key.
 */
export async function createPasswords(dataDir: string): Promise<(role: string) => string> {
  const file = keyFile(dataDir, "database");
  const ring = await readKeyRing("database", file);
  if (ring === undefined) throw new Error(lostKey(file, "the database"));
  return passwordsOf(ring.first);
}

/** The passwords made from one key. */
export function passwordsOf({ bytes }: RingKey): (role: string) => string {
  return (role) => createHmac("sha256", bytes).update(role).digest("hex");
}

function lostKey(file: string, database: string): string {
  return (
    `${file} is missing, and ${database} opens with it alone: restore the secrets folder of this Tripe from its backup, or ` +
    "set TRIPE_DATA_DIR to a new folder"
  );
}
