import { resolve } from "node:path";
import { readPassphrase } from "./_backup/passphrase.ts";
import { BackupRefusal } from "./_backup/refusal.ts";
import { restore } from "./_backup/restore.ts";
import { isUnavailable } from "./_database/connect.ts";
import { readConfig } from "./_runtime/config.ts";
import { endQuietlyWithReader } from "./_runtime/quiet-pipe.ts";

endQuietlyWithReader();

// npm run restore -- <folder>
// Restores a backup to TRIPE_DATA_DIR, which is not there or empty, and to DATABASE_URL for a backup of such a database.
const print = (words: string) => process.stdout.write(`${words}\n`);
try {
  const config = readConfig();
  const dataDir = resolve(config.dataDir);
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new BackupRefusal("name the backup: npm run restore -- <folder>");
  const passphrase = await readPassphrase(config.backupPassphraseFile);
  const ownerUrl = config.databaseUrl?.reveal();
  const { time } = await restore({ source: resolve(folder), dataDir, ownerUrl, passphrase });
  print(`${dataDir} is as it was at ${time}; start it with npm start, and prove its books with npm run audit`);
} catch (error) {
  process.exitCode = 1;
  if (error instanceof BackupRefusal) print(error.message);
  else if (isUnavailable(error)) print("the database of DATABASE_URL does not answer");
  else throw error;
}
