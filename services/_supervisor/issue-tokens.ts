import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { keepSecret } from "../_database/kept-secret.ts";
import { systemClock as clock } from "../_runtime/clock.ts";
import type { Config } from "../_runtime/config.ts";
import { writeTokenFiles } from "../_runtime/token-files.ts";

/** As long as the HMAC's own output: more would add nothing. */
const KEY_BYTES = 32;

type ProofPlaces = Pick<Config, "dataDir" | "tlsDir" | "servicesHost">;

/**
 * Writes the tokens by which the processes of a data folder prove their names, under a key that is made once and that no
 * process but the supervisor reads. Without its file, another key is made: then all tokens are new at the next start.
 */
export async function issueTokens({ dataDir, tlsDir, servicesHost }: ProofPlaces): Promise<void> {
  if (process.platform === "win32" && tlsDir !== undefined && servicesHost !== undefined)
    await makeCertificates(tlsDir);
  const path = join(dataDir, "secrets", "callers.key");
  const key = Buffer.from(await keepSecret(path, () => randomBytes(KEY_BYTES).toString("hex")), "hex");
  if (key.length !== KEY_BYTES) throw new Error(`${path} must hold ${KEY_BYTES * 2} hexadecimal digits`);
  await writeTokenFiles(dataDir, key);
}

/** On Windows, where there are no Unix sockets, nobody need know of certificates: each start makes new ones. This has not been run. */
async function makeCertificates(folder: string): Promise<void> {
  const { issueCertificates } = await import("../_runtime/issue-certificates.ts");
  await issueCertificates({ folder, clock, untilTrusted: async () => undefined });
}
