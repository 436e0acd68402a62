import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { keepSecret } from "../_database/kept-secret.ts";
import { writeTokenFiles } from "../_runtime/token-files.ts";

/** As long as the HMAC's own output: more would add nothing. */
const KEY_BYTES = 32;

/**
 * Writes the tokens by which the processes of a data folder prove their names, under a key that is made once and that no
 * process but the supervisor reads. Without its file, another key is made: then all tokens are new at the next start.
 */
export async function issueTokens(dataDir: string): Promise<void> {
  const path = join(dataDir, "secrets", "callers.key");
  const key = Buffer.from(await keepSecret(path, () => randomBytes(KEY_BYTES).toString("hex")), "hex");
  if (key.length !== KEY_BYTES) throw new Error(`${path} must hold ${KEY_BYTES * 2} hexadecimal digits`);
  await writeTokenFiles(dataDir, key);
}
