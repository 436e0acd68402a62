import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { BackupRefusal } from "./refusal.ts";

/** Shorter ones are guessed, at a few guesses a second and machine. */
const CHARS_MIN = 12;

/**
 * Reads the passphrase of a backup: the first line of a file, or typed at the terminal without being shown; undefined without either. Never
 * an argument, which every user of the machine can see.
 */
export async function readPassphrase(file: string | undefined): Promise<string | undefined> {
  const passphrase = file === undefined ? await askPassphrase() : await readFirstLine(file);
  if (passphrase === undefined || passphrase === "") return undefined;
  if (passphrase.length >= CHARS_MIN) return passphrase;
  throw new BackupRefusal(`a passphrase has at least ${CHARS_MIN} characters`);
}

async function readFirstLine(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new BackupRefusal(`TRIPE_BACKUP_PASSPHRASE_FILE: ${file} cannot be read`, { cause });
  });
  const [line = ""] = text.split(/\r?\n/);
  if (line === "") throw new BackupRefusal(`TRIPE_BACKUP_PASSPHRASE_FILE: ${file} is empty`);
  return line;
}

function askPassphrase(): Promise<string | undefined> {
  if (!process.stdin.isTTY) return Promise.resolve(undefined);
  process.stdout.write("Passphrase of the backup (none: a sandbox alone): ");
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  return new Promise((resolve) => {
    lines.once("line", (line) => {
      lines.close();
      process.stdout.write("\n");
      resolve(line);
    });
    lines.once("close", () => resolve(undefined));
  });
}
