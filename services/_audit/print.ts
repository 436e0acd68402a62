import type { Checked } from "./audit.ts";

/** Columns of the report: the longest name of a check, and counts up to a million. */
const NAME_CHARS = 18;
const COUNT_CHARS = 7;

/** One check as lines for a person: how many rows break it, how long it took, its sentence, and the first of those rows. */
export function printChecked({ name, sentence, count, rows, ms }: Checked): string {
  const head = `${count === 0 ? "ok   " : "FAULT"} ${name.padEnd(NAME_CHARS)} ${String(count).padStart(COUNT_CHARS)}`;
  const lines = [`${head} ${`${ms.toFixed(0)} ms`.padStart(9)}  ${sentence}`];
  for (const row of rows) lines.push(`        ${printRow(row)}`);
  if (rows.length < count) lines.push(`        … and ${count - rows.length} more`);
  return lines.join("\n");
}

/** All checks in one line. */
export function printSummary(results: readonly Checked[], linesCount: number | undefined): string {
  const faults = results.filter(({ count }) => count > 0);
  const ms = results.reduce((sum, result) => sum + result.ms, 0);
  const bank = linesCount === undefined ? "no bank statement" : `a bank statement of ${linesCount} lines`;
  const measured = `${results.length} checks, ${bank}, ${(ms / 1000).toFixed(1)} s`;
  if (faults.length === 0) return `The books balance: ${measured}.`;
  return `The books do NOT balance: ${faults.map(({ name }) => name).join(", ")}; ${measured}.`;
}

function printRow(row: Checked["rows"][number]): string {
  return JSON.stringify(row, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}
