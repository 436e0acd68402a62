import { existsSync } from "node:fs";
import { readConfig } from "../../_runtime/config.ts";
import { endQuietlyWithReader } from "../../_runtime/quiet-pipe.ts";
import { isDay, readStatement, type StatementLine, statementFile } from "./statement.ts";

endQuietlyWithReader();

// npx node services/bank/sandbox/statement-program.ts [day]
// Prints what the sandbox bank has done with money, on a day (YYYY-MM-DD, UTC) or ever, as CSV; the bank may be running.
const [day] = process.argv.slice(2);
const file = statementFile(readConfig().dataDir);
if (day !== undefined && !isDay(day)) fail(`No day: ${day}; a day is written YYYY-MM-DD`);
else if (!existsSync(file)) fail(`No statement: ${file} is not there; TRIPE_DATA_DIR names the folder`);
else await print(readStatement(file, day));

async function print(lines: AsyncIterable<StatementLine>): Promise<void> {
  process.stdout.write("time,kind,amount_minor,currency,bank_ref,original_bank_ref,card\n");
  for await (const { time, kind, amountMinor, currencyCode, bankRef, originalBankRef, card } of lines) {
    const cells = [time, kind, amountMinor, currencyCode, bankRef, originalBankRef, card];
    process.stdout.write(`${cells.map((cell) => quote(String(cell))).join(",")}\n`);
  }
}

/** RFC 4180: references are any printable ASCII, commas and quotes too. */
function quote(cell: string): string {
  return /[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function fail(words: string): void {
  process.stderr.write(`${words}\n`);
  process.exitCode = 1;
}
