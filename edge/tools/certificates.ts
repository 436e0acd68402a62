import { join } from "node:path";
import { systemClock as clock } from "../../services/_runtime/clock.ts";
import { readConfig } from "../../services/_runtime/config.ts";
import { issueCertificates } from "../../services/_runtime/issue-certificates.ts";
import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";

endQuietlyWithReader();

// npm run certificates
// npm run certificates -- new-authority
// Makes the certificates by which services prove their names over TCP, or renews all of them; running processes read them
// within seconds. The folder is TRIPE_TLS_DIR, or `tls` in the data dir.

/** Every process looks at its files every 5 s (services/_runtime/certificates.ts): by then all trust a new authority. */
const TRUSTED_AFTER_MS = 15_000;

try {
  const [word] = process.argv.slice(2);
  if (word !== undefined && word !== "new-authority") {
    throw new Error("usage: npm run certificates, or npm run certificates -- new-authority");
  }
  const config = readConfig();
  const folder = config.tlsDir ?? join(config.dataDir, "tls");
  const { isNewAuthority, names, expiryMs } = await issueCertificates({
    folder,
    clock,
    isNewAuthority: word === "new-authority",
    async untilTrusted() {
      print(`a new authority stands in ${join(folder, "ca.pem")}; it signs in ${TRUSTED_AFTER_MS / 1_000} s`);
      await clock.sleep(TRUSTED_AFTER_MS);
    },
  });
  print(`${names.length} certificates in ${folder}, until ${new Date(expiryMs).toISOString().slice(0, 10)}`);
  if (isNewAuthority) print(`keep ${join(folder, "ca.key")} to yourself: no process needs it`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function print(words: string): void {
  process.stdout.write(`${words}\n`);
}
