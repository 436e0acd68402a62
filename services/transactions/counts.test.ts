import { expect, test } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { startTestTripe } from "../testing.ts";
import { createSteps, type Payer, selectRows } from "./testing.ts";

const calls: string[] = [];
const tripe = await startTestTripe({ observe: ({ service, rpc }) => calls.push(`${service}.${rpc}`) });

/** What 6-performance.md's P3 counts, per charge. */
interface Counts {
  readonly commits: number;
  readonly statements: number;
  readonly remoteCalls: number;
}

interface StatementRow {
  readonly role: string;
  readonly query: string;
  readonly calls: bigint;
}

/** Charges as the edge does: the payer first, then the transaction. The API key is cached there. */
async function chargeOnce({ edge, chargeRequest, charge }: ReturnType<typeof createSteps>, payer: Payer) {
  await edge.reader.getPayer({ accountId: tripe.accountId, ...payer, tokenId: "" });
  const made = await charge(chargeRequest(payer));
  expect(made.charge.state).toBe(ChargeState.SUCCEEDED);
}

/** Every statement that reader's and writer's roles ran in this test's database since the last reset, but what P3 leaves out. */
async function readStatements(): Promise<StatementRow[]> {
  return selectRows<StatementRow>(
    tripe,
    `select regexp_replace(rolname, '_[0-9]+$', '') as role, query, sum(calls)::bigint as calls
      from pg_stat_statements join pg_roles r on r.oid = userid join pg_database d on d.oid = dbid
      where d.datname = current_database() and rolname ~ '^tripe_(reader|writer)_'
        and query not ilike '%for key share of x%' and query !~* '^\\s*(begin|commit|rollback)\\M'
      group by 1, 2 order by 3 desc`,
  );
}

/** A transaction of the writer's is ended by COMMIT, or is one statement that writes. Inside of one, statements count no commit. */
async function readCommits(statements: readonly StatementRow[]): Promise<number> {
  const [row] = await selectRows<{ begins: bigint; commits: bigint }>(
    tripe,
    `select coalesce(sum(calls) filter (where query ilike 'begin%'), 0)::bigint as begins,
        coalesce(sum(calls) filter (where query ilike 'commit%'), 0)::bigint as commits
      from pg_stat_statements join pg_roles r on r.oid = userid join pg_database d on d.oid = dbid
      where d.datname = current_database() and rolname ~ '^tripe_writer_'`,
  );
  expect(row?.begins).toBe(0n);
  const writing = statements.filter(({ query }) => /\b(insert into|update \w+ \w+ set|delete from)\b/i.test(query));
  return Number(row?.commits ?? 0n) + sumOf(writing.filter(({ role }) => role === "tripe_writer"));
}

const sumOf = (rows: readonly StatementRow[]) => rows.reduce((sum, row) => sum + Number(row.calls), 0);

async function count(chargesCount: number, work: () => Promise<void>): Promise<Counts> {
  await selectRows(
    tripe,
    "select pg_stat_statements_reset(0, oid, 0) from pg_database where datname = current_database()",
  );
  calls.length = 0;
  await work();
  const statements = await readStatements();
  const counts = {
    commits: (await readCommits(statements)) / chargesCount,
    statements: sumOf(statements) / chargesCount,
    remoteCalls: calls.length / chargesCount,
  };
  process.stdout.write(`${JSON.stringify({ measure: "P3", charges: chargesCount, ...counts })}\n`);
  return counts;
}

test("a charge, one in flight: 2 commits, 3 statements, at most 5 remote calls", async () => {
  const steps = createSteps(tripe);
  const payer = await steps.createPayer();
  await chargeOnce(steps, payer);
  const before = await settlingTransactions();
  const counts = await count(200, async () => {
    for (let index = 0; index < 200; index += 1) await chargeOnce(steps, payer);
  });
  expect(counts.commits).toBe(2);
  // Postgres' own word for the second of them: so many transactions wrote the charges as they now are.
  expect((await settlingTransactions()) - before).toBe(200);
  expect(counts.statements).toBe(3);
  expect(counts.remoteCalls).toBeLessThanOrEqual(5);
  expect([...new Set(calls)]).toEqual([
    "reader.GetPayer",
    "writer.BeginCharge",
    "bank.Submit",
    "writer.SettleCharge",
    "transactions.CreateCharge",
  ]);
});

test("a capture: 2 commits, as a charge", async () => {
  const { edge, key, createPayer, chargeRequest, charge } = createSteps(tripe);
  const payer = await createPayer();
  const chargeIds: string[] = [];
  for (let index = 0; index < 51; index += 1) {
    const request = chargeRequest(payer);
    chargeIds.push((await charge({ ...request, charge: { ...request.charge, isHeld: true } })).charge.chargeId);
  }
  const capture = async (chargeId: string) => {
    const { charge: captured } = await edge.transactions.captureCharge({ ...key(), chargeId });
    expect(captured?.capturedMinor).toBe(2000n);
  };
  const [first = "", ...others] = chargeIds;
  await capture(first);
  const counts = await count(others.length, async () => {
    for (const chargeId of others) await capture(chargeId);
  });
  expect(counts.commits).toBe(2);
  expect(counts.statements).toBeLessThanOrEqual(3);
  expect([...new Set(calls)]).toEqual([
    "writer.BeginCapture",
    "bank.Submit",
    "writer.SettleCapture",
    "transactions.CaptureCharge",
  ]);
});

test("128 charges in flight share their commits: at most one in ten charges", async () => {
  const steps = createSteps(tripe);
  const payers = await Promise.all(Array.from({ length: 8 }, () => steps.createPayer()));
  const total = 1_280;
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < total; index = next++) {
      await chargeOnce(steps, payers[index % payers.length] ?? missing());
    }
  };
  const before = await settlingTransactions();
  const counts = await count(total, async () => {
    await Promise.all(Array.from({ length: 128 }, worker));
  });
  expect(counts.commits).toBeLessThanOrEqual(0.1);
  expect(((await settlingTransactions()) - before) / total).toBeLessThanOrEqual(0.05);
});

async function settlingTransactions(): Promise<number> {
  const text = "select count(distinct xmin::text)::int as count from tripe.charge";
  const [row] = await selectRows<{ count: number }>(tripe, text);
  return row?.count ?? 0;
}

function missing(): never {
  throw new Error("there are eight payers");
}
