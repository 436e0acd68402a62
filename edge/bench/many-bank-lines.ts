import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { crc32 } from "node:zlib";
import { readEntry, writeEntry } from "../../services/bank/sandbox/entry.ts";
import { readJournal } from "../../services/bank/sandbox/journal.ts";
import type { Range } from "./many-rows.ts";

/**
 * Writes what the sandbox bank would have written of copied charges: the model's purchase under each copy's reference. The bank
 * must not be running; it reads its file (`statementFile`) at its start.
 */
export async function copyBankLines(file: string, modelRef: string, charges: Range): Promise<void> {
  const model = await findEntry(file, modelRef);
  const output = createWriteStream(file, { flags: "a" });
  for (let number = charges.from; number <= charges.to; number += 1) {
    const bankRef = `${modelRef.slice(0, modelRef.lastIndexOf("_"))}_${String(number).padStart(24, "0")}`;
    const text = writeEntry({ ...model, bankRef });
    if (!output.write(`${crc32(text).toString(16).padStart(8, "0")} ${text}\n`)) await once(output, "drain");
  }
  output.end();
  await once(output, "finish");
}

async function findEntry(file: string, bankRef: string) {
  for await (const text of readJournal(file)) {
    const entry = readEntry(text);
    if (entry.bankRef === bankRef) return entry;
  }
  throw new Error(`the bank has no entry ${bankRef}`);
}
