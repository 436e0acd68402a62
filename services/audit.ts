import { existsSync } from "node:fs";
import { runProgram } from "./_audit/program.ts";
import { systemClock } from "./_runtime/clock.ts";
import { readRunningConfig } from "./_runtime/config.ts";
import { silentLog } from "./_runtime/log.ts";
import { endQuietlyWithReader } from "./_runtime/quiet-pipe.ts";
import { readStatement, statementFile } from "./bank/sandbox/statement.ts";

endQuietlyWithReader();

// npm run audit
// Proves the books (design/3-money.md): exit code 1 and the offending rows on any finding.
process.exitCode = await runProgram({
  config: readRunningConfig(),
  // Read when the audit asks for it, after its snapshot. A bank that never started has no file, and had no effects.
  readStatement: async function* (dataDir) {
    const file = statementFile(dataDir);
    if (existsSync(file)) yield* readStatement(file);
  },
  clock: systemClock,
  log: silentLog,
  print: (line) => process.stdout.write(`${line}\n`),
});
