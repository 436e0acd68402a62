import { resolve } from "node:path";
import { isUnavailable } from "../_database/connect.ts";
import { isAlive, readPostmaster } from "../_database/embedded-postmaster.ts";
import { findRoleUrl } from "../_database/role-url.ts";
import type { Clock } from "../_runtime/clock.ts";
import type { Config } from "../_runtime/config.ts";
import { formatHostPort } from "../_runtime/host-port.ts";
import type { Log } from "../_runtime/log.ts";
import { type Checked, runAudit } from "./audit.ts";
import { printChecked, printSummary } from "./print.ts";
import type { StatementLine } from "./statement.ts";

/** What the program needs of the world; `readStatement` yields the sandbox bank's lines, and nothing when it has no file. */
export interface ProgramOptions {
  readonly config: Config;
  readonly readStatement: (dataDir: string) => AsyncIterable<StatementLine>;
  readonly clock: Clock;
  readonly log: Log;
  readonly print: (line: string) => void;
}

/**
 * Proves the books of the Tripe of a data folder and prints one line per check, the rows that break it, and a summary.
 * Returns the exit code: 0 for books that balance, 1 for a finding, and for a database that is not there, said in words.
 */
export async function runProgram(options: ProgramOptions): Promise<number> {
  const { config, print } = options;
  const dataDir = resolve(config.dataDir);
  const away = `Postgres is not running on ${dataDir}: start Tripe there (npm start), then prove the books.`;
  if (config.databaseUrl === undefined && !isRunning(dataDir)) {
    print(away);
    return 1;
  }
  try {
    return await prove({ ...options, config: { ...config, dataDir } });
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    print(config.databaseUrl === undefined ? away : "The Postgres of DATABASE_URL does not answer.");
    return 1;
  }
}

async function prove({ config, readStatement, clock, log, print }: ProgramOptions): Promise<number> {
  const { isSandbox } = config.acquirer;
  const place = formatHostPort(config.acquirer);
  if (!isSandbox) print(`The bank at ${place} is not the sandbox: its statement is not compared.`);
  const results: Checked[] = [];
  const counted = count(readStatement(config.dataDir));
  const findings = await runAudit({
    databaseUrl: await findRoleUrl(config, "audit"),
    statement: isSandbox ? counted.lines : undefined,
    dataDir: config.dataDir,
    clock,
    log,
    onChecked: (result) => {
      results.push(result);
      print(printChecked(result));
    },
  });
  print(printSummary(results, isSandbox ? counted.linesCount() : undefined));
  return findings.length === 0 ? 0 : 1;
}

function isRunning(dataDir: string): boolean {
  const postmaster = readPostmaster(`${dataDir}/postgres`);
  return postmaster !== undefined && isAlive(postmaster.pid);
}

function count<Line>(lines: AsyncIterable<Line>): { lines: AsyncIterable<Line>; linesCount: () => number } {
  let linesCount = 0;
  const through = async function* () {
    for await (const line of lines) {
      linesCount += 1;
      yield line;
    }
  };
  return { lines: through(), linesCount: () => linesCount };
}
