import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tokens } from "./tokens.ts";
import { createBankPassword, createTokens, digestOf } from "./tokens.ts";
import { type CallerName, serviceNames } from "./topology.ts";

/** Where a process of a data folder finds its tokens. */
export function tokensFile(dataDir: string, name: CallerName): string {
  return join(dataDir, "secrets", "callers", `${name}.json`);
}

/** Where the operator's token stands: a line of text, for programs in any language. */
export function operatorTokenFile(dataDir: string): string {
  return join(dataDir, "secrets", "operator.token");
}

/** Where the sandbox bank's password stands: a line of text, which the bank service and banking programs of a person's own send. */
export function bankPasswordFile(dataDir: string): string {
  return join(dataDir, "secrets", "sandbox-bank.password");
}

/** Where the sandbox bank finds the digest of the password that it accepts. */
function bankDigestFile(dataDir: string): string {
  return join(dataDir, "secrets", "callers", "sandbox-bank.json");
}

/** Writes the tokens of every process of a data folder, each into a file of its own that its owner alone may read. */
export async function writeTokenFiles(dataDir: string, key: Uint8Array): Promise<void> {
  await mkdir(join(dataDir, "secrets", "callers"), { recursive: true, mode: 0o700 });
  const files = (["edge", ...serviceNames] as const).map((name) =>
    writeSecretFile(tokensFile(dataDir, name), JSON.stringify(createTokens(key, name))),
  );
  const { sent } = createTokens(key, "operator");
  const password = createBankPassword(key);
  await Promise.all([
    ...files,
    writeSecretFile(operatorTokenFile(dataDir), sent.reader ?? ""),
    writeSecretFile(bankPasswordFile(dataDir), password),
    writeSecretFile(bankDigestFile(dataDir), JSON.stringify({ accepted: digestOf(password) })),
  ]);
}

/** Reads the password of the data folder's sandbox bank; refuses in words when there is none. */
export async function readBankPassword(dataDir: string): Promise<string> {
  return (await readText(bankPasswordFile(dataDir))).trim();
}

/** Reads the digest of the password that the data folder's sandbox bank accepts; refuses in words when there is none. */
export async function readBankDigest(dataDir: string): Promise<string> {
  const { accepted }: { accepted: string } = JSON.parse(
    await readText(bankDigestFile(dataDir), ", or set TRIPE_ACQUIRER_PASSWORD"),
  );
  return accepted;
}

/** Reads the tokens of a process; refuses in words when there are none. */
export async function readTokens(dataDir: string, name: CallerName): Promise<Tokens> {
  if (name === "operator") return readOperatorTokens(dataDir);
  const file = tokensFile(dataDir, name);
  const text = await readText(file);
  const { sent, accepted }: Tokens = JSON.parse(text);
  return { sent, accepted };
}

async function readOperatorTokens(dataDir: string): Promise<Tokens> {
  const token = (await readText(operatorTokenFile(dataDir))).trim();
  return { sent: Object.fromEntries(serviceNames.map((name) => [name, token])), accepted: {} };
}

async function readText(file: string, orElse = ""): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Error(`cannot read ${file}, which npm start writes: start Tripe once on this data folder${orElse}`, {
      cause: error,
    });
  }
}

async function writeSecretFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${text}\n`, { mode: 0o600 });
  await rename(draft, file);
}
