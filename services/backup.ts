import { resolve } from "node:path";
import { backUp } from "./_backup/backup.ts";
import { readPassphrase } from "./_backup/passphrase.ts";
import { BackupRefusal } from "./_backup/refusal.ts";
import { isUnavailable } from "./_database/connect.ts";
import { findRoleUrl } from "./_database/role-url.ts";
import { systemClock } from "./_runtime/clock.ts";
import { readRunningConfig } from "./_runtime/config.ts";
import { endQuietlyWithReader } from "./_runtime/quiet-pipe.ts";

endQuietlyWithReader();

// npm run backup -- <folder>
// Backs up the Tripe that runs on TRIPE_DATA_DIR, or with DATABASE_URL, to a folder that is not there yet.
const print = (words: string) => process.stdout.write(`${words}\n`);
try {
  const config = readRunningConfig();
  if (config.databaseUrl !== undefined && new URL(config.databaseUrl.reveal()).username === "") {
    throw new BackupRefusal(
      "this Tripe runs on a database of its own server: set DATABASE_URL as it was set for npm start",
    );
  }
  const dataDir = resolve(config.dataDir);
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new BackupRefusal("name the folder to make: npm run backup -- <folder>");
  const passphrase = await readPassphrase(config.backupPassphraseFile);
  const target = resolve(folder);
  const ownerUrl = await findRoleUrl({ ...config, dataDir }, "owner");
  const isOwnServer = config.databaseUrl !== undefined;
  const manifest = await backUp({ dataDir, ownerUrl, isOwnServer, target, passphrase, clock: systemClock });
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  print(`${target}: ${manifest.files.length} files, ${Math.ceil(bytes / 1e6)} MB, as of ${manifest.time}`);
  if (!manifest.isSealed) print("The secrets in it are not sealed: it is the backup of a sandbox.");
  if (config.cardKey !== undefined) print("TRIPE_CARD_KEY is no part of it: keep that yourself.");
} catch (error) {
  process.exitCode = 1;
  if (error instanceof BackupRefusal) print(error.message);
  else if (isUnavailable(error)) print("the database does not answer: start Tripe (npm start), then back it up");
  else throw error;
}
