import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { createMemoryFolder } from "../_runtime/testing/memory-folder.ts";
import type { StatementLine } from "./statement.ts";
import { faults, keep } from "./testing/faults.ts";
import { createWorld } from "./testing/world.ts";

const { tripe, owner, day, charge, readLines, audit, forget } = await createWorld();
afterAll(() => owner.end());
const lines: readonly StatementLine[] = await readLines();

/** Breaks something, audits, and brings everything back. Answers with the names of the checks that found it. */
async function breakAndAudit(plant: string, change: (lines: readonly StatementLine[]) => readonly StatementLine[]) {
  onTestFinished(forget);
  if (plant !== "") await owner.query(plant);
  return audit(yieldAll(change(lines)));
}

async function* yieldAll<Value>(values: readonly Value[]): AsyncGenerator<Value> {
  yield* values;
}

test("books with charges, declines, returns and one that is pending are clean", async () => {
  expect(lines.map(({ kind, amountMinor }) => [kind, amountMinor])).toEqual([
    ["purchase", 2_000n],
    ["purchase", 3_000n],
    ["refund", 500n],
    ["purchase", 4_000n],
  ]);
  expect(await audit(yieldAll(lines), tripe.config.dataDir)).toEqual([]);
});

test.each(Object.entries(faults))("the audit finds %s", async (_sentence, [plant, change, names]) => {
  const findings = await breakAndAudit(plant(day), change);
  expect(findings.map(({ name }) => name)).toEqual(names);
  for (const { count, rows } of findings) expect(rows).toHaveLength(count);
});

test("a finding names the row, and not the card", async () => {
  const plant = `update charge set description = '4242424242424242' where charge_id = '${day.paidId}'`;
  const [finding] = await breakAndAudit(plant, keep);
  expect(finding?.rows).toMatchObject([{ table: "charge", column: "description", number: "4242… (16 digits)" }]);
  expect(JSON.stringify(finding)).not.toContain("424242");
});

test("of many rows the first twenty are shown, and all are counted", async () => {
  const plant = `insert into alert select '${day.accountId}', 'alert_' || n, 'R', '', '{}', statement_timestamp(), null
    from generate_series(1, 3000) n`;
  const [finding] = await breakAndAudit(plant, keep);
  expect([finding?.count, finding?.rows.length]).toEqual([3_000, 20]);
});

test("logs and mails are looked into, broken lines too", async () => {
  const dataDir = await createMemoryFolder("tripe-audit-");
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  for (const folder of ["logs", "mail", "cache", "postgres"]) await mkdir(join(dataDir, folder));
  await writeFile(join(dataDir, "logs", "edge.log"), `{"message":"fine"}\n{"body":"number=4242424242424242"}\n`);
  await writeFile(join(dataDir, "mail", "one.eml"), "You paid with 4242 4242=\r\n 4242 4242 today\r\n");
  await writeFile(join(dataDir, "cache", "code"), "4242424242424242");
  const findings = await audit(undefined, dataDir);
  expect(findings).toMatchObject([
    {
      name: "cards-files",
      count: 2,
      rows: [
        { file: "logs/edge.log", line: 2 },
        { file: "mail/one.eml", line: 1 },
      ],
    },
  ]);
});

test("the statement is asked for once the snapshot is taken, never before", async () => {
  const snapshots = `select count(*)::int as count from pg_stat_activity
    where datname = current_database() and application_name = 'tripe_audit' and backend_xmin is not null`;
  let heldCount = 0;
  async function* asked() {
    const { rows } = await owner.query<{ count: number }>(snapshots);
    heldCount = rows[0]?.count ?? 0;
    yield* await readLines();
  }
  expect(await audit(asked())).toEqual([]);
  expect(heldCount).toBe(1);
});

test("charges made while the statement is read are no findings", async () => {
  const madeIds: string[] = [];
  async function* growing() {
    // The snapshot is taken by now; what is charged from here on is in the statement alone.
    for (let n = 0; n < 5; n += 1) madeIds.push(await charge("4242424242424242", 1_000n));
    yield* await readLines();
  }
  expect(await audit(growing())).toEqual([]);
  expect(madeIds).toHaveLength(5);
  expect(await audit(yieldAll(await readLines()))).toEqual([]);
});
