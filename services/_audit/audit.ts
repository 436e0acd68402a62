import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";
import type { Check, Offending, Row } from "./check.ts";
import { accountChecks } from "./checks/accounts.ts";
import { attemptChecks } from "./checks/attempts.ts";
import { bankChecks, KEEP_UNKNOWN_EFFECTS, unknownEffectsCheck } from "./checks/bank.ts";
import { findCardFiles } from "./checks/card-files.ts";
import { cardNumberCheck } from "./checks/card-numbers.ts";
import { chargeChecks } from "./checks/charges.ts";
import { deliveryChecks } from "./checks/deliveries.ts";
import { eventChecks } from "./checks/events.ts";
import { holdChecks } from "./checks/holds.ts";
import { idempotencyChecks } from "./checks/idempotency.ts";
import { invoiceChecks } from "./checks/invoices.ts";
import { ledgerChecks } from "./checks/ledger.ts";
import { snapshotCheck } from "./checks/snapshots.ts";
import { openSnapshot, type Snapshot } from "./snapshot.ts";
import { loadStatement, type StatementLine } from "./statement.ts";

/** What the books are proved from. */
export interface AuditOptions {
  /** The url of the role `tripe_audit`. */
  readonly databaseUrl: string;
  /** The bank's statement, read from here on once the snapshot is taken; absent, nothing is compared with a bank. */
  readonly statement?: AsyncIterable<StatementLine> | undefined;
  /** Where logs and mails are; absent, no file is looked at. */
  readonly dataDir?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of each check as it ends, in order. */
  readonly onChecked?: (result: Checked) => void;
}

/** How one check ended. */
export interface Checked extends Finding {
  readonly ms: number;
}

/** A check that something breaks: what must be true, how many rows break it, and the first of them. */
export interface Finding {
  readonly name: string;
  readonly sentence: string;
  readonly count: number;
  readonly rows: readonly Row[];
}

const checks: readonly Check[] = [
  ...ledgerChecks,
  ...chargeChecks,
  ...holdChecks,
  ...attemptChecks,
  ...accountChecks,
  ...idempotencyChecks,
  ...eventChecks,
  ...deliveryChecks,
  ...invoiceChecks,
  snapshotCheck,
];

/**
 * Proves the books on one state of the database, while Tripe runs or not, and answers with what breaks them: nothing, when
 * all is well. Reads alone; takes no lock that anybody waits for. Rejects when the database is away (`isUnavailable`) or
 * the statement cannot be read: no proof is no finding, and no clean books either.
 */
export async function runAudit(options: AuditOptions): Promise<Finding[]> {
  const snapshot = await openSnapshot(options.databaseUrl);
  try {
    return await runChecks(snapshot, options);
  } finally {
    await snapshot.close();
  }
}

async function runChecks(snapshot: Snapshot, options: AuditOptions): Promise<Finding[]> {
  const { statement, dataDir } = options;
  const findings: Finding[] = [];
  const run = async (check: Check) => {
    const result = await measure(check, snapshot, options);
    if (result.count > 0) findings.push(result);
  };
  if (statement !== undefined) await loadStatement(snapshot, statement);
  for (const check of checks) await run(check);
  if (statement !== undefined) {
    for (const check of bankChecks) await run(check);
    await snapshot.query(KEEP_UNKNOWN_EFFECTS);
  }
  await run(cardNumberCheck);
  await snapshot.release();
  if (statement !== undefined) await run(unknownEffectsCheck);
  if (dataDir !== undefined) await run(filesCheck(dataDir));
  return findings;
}

async function measure(
  { name, sentence, find }: Check,
  snapshot: Snapshot,
  { clock, log, onChecked }: AuditOptions,
): Promise<Checked> {
  const startMs = clock.preciseMs();
  const { count, rows }: Offending = await find(snapshot);
  const result = { name, sentence, count, rows, ms: clock.preciseMs() - startMs };
  if (count > 0) log.warn("the books have a fault", { check: name, count });
  onChecked?.(result);
  return result;
}

function filesCheck(dataDir: string): Check {
  return {
    name: "cards-files",
    sentence: "No log, mail or other file of the data folder holds a card number.",
    find: () => findCardFiles(dataDir),
  };
}
