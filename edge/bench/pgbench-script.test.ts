import { expect, test } from "vitest";
import { connectOwner } from "../../services/_database/connect-owner.ts";
import { startBench } from "../testing/tripe.ts";
import { parseRate } from "./pgbench.ts";
import { countRows, createYardstick, pointToCopies, SCHEMA } from "./pgbench-schema.ts";
import { createScript, transactionsOf } from "./pgbench-script.ts";

// Without a fee, as the sandbox account of a Tripe that is measured: two entries in the ledger.
const bench = await startBench({ fee: { basisPoints: 0, fixedMinor: 0 } });

test("the yardstick's two transactions of nine statements write the rows of one real charge", async () => {
  const customer = await bench.ask({ method: "POST", url: "/v1/customers", payload: { source: "tok_visa" } });
  const client = await connectOwner(bench.tripe.database.urls.owner, "tripe_bench_test");
  try {
    const before = await countRows(client, "tripe");
    const payload = { amount: 2000, currency: "usd", customer: customer.body["id"] };
    expect((await bench.ask({ method: "POST", url: "/v1/charges", payload })).status).toBe(200);
    const after = await countRows(client, "tripe");
    const written = Object.fromEntries(
      Object.entries(after).map(([table, count]) => [table, count - (before[table] ?? 0)]),
    );

    await createYardstick(client, 1);
    const { rows } = await client.query<{ account_id: string }>(`select account_id from ${SCHEMA}.account`);
    const options = { accountId: rows[0]?.account_id ?? "", snapshotBytes: 400, isDispatched: true };
    const transactions = transactionsOf(options);
    for (const statements of transactions) {
      await client.query("begin");
      for (const text of statements) {
        const { rowCount } = await client.query(text.replaceAll(":number", "7").replaceAll(":customer", "1"));
        expect(rowCount, text).toBe(text.includes("'merchant_balance'") ? 2 : 1);
      }
      await client.query("commit");
    }

    expect(transactions.flat()).toHaveLength(9);
    expect(await countRows(client, SCHEMA)).toEqual(written);
    expect(written).toEqual({ idempotency: 1, charge: 1, attempt: 1, ledger_transfer: 1, ledger_entry: 2, event: 1 });
    expect(await listKeys(SCHEMA)).toEqual(await listKeys("tripe"));
  } finally {
    await client.end();
  }

  /** Keys, checks and indexes of the tables that a charge writes, without their names and schemas. */
  async function listKeys(schema: string) {
    const { rows } = await client.query<{ key: string }>(
      `select r.relname || ' ' || replace(pg_get_constraintdef(c.oid), $1 || '.', '') as key
        from pg_constraint c join pg_class r on r.oid = c.conrelid
        where c.connamespace = $1::regnamespace and r.relname = any($2) and c.contype <> 'n'
        union all
        select tablename || ' ' || regexp_replace(indexdef, '.* USING', '') from pg_indexes
        where schemaname = $1 and tablename = any($2)
        order by 1`,
      [schema, Object.keys(await countRows(client, schema))],
    );
    return rows.map(({ key }) => key.replaceAll(/\b(tripe|yardstick)\./g, ""));
  }
});

test("the script sets its variables, then runs two transactions, a statement a line", () => {
  const lines = createScript({ accountId: "acct_1", snapshotBytes: 10, isDispatched: false }).trim().split("\n");
  expect(lines.filter((line) => line.startsWith("\\set"))).toHaveLength(3);
  expect(lines.slice(3).map((line) => line.split(" ")[0])).toEqual([
    ...["begin;", "insert", "insert", "insert", "commit;"],
    ...["begin;", "update", "insert", "insert", "update", "update", "insert", "commit;"],
  ]);
});

test("foreign keys between copied tables stay between the copies, others point at Tripe's", () => {
  expect(pointToCopies("FOREIGN KEY (a) REFERENCES tripe.charge(a)")).toBe(
    `FOREIGN KEY (a) REFERENCES ${SCHEMA}.charge(a)`,
  );
  expect(pointToCopies("FOREIGN KEY (a) REFERENCES tripe.invoice(a)")).toBe(
    "FOREIGN KEY (a) REFERENCES tripe.invoice(a)",
  );
});

test("a run of pgbench with a failed transaction has no rate", () => {
  const words =
    "number of transactions actually processed: 7\nnumber of failed transactions: 0 (0.000%)\ntps = 1234.5 (x)\n";
  expect(parseRate(words)).toBe(1234.5);
  expect(() => parseRate(words.replace("transactions: 0", "transactions: 3"))).toThrow("pgbench failed");
  expect(() => parseRate("connection refused")).toThrow("pgbench failed");
});
