import { expect, test } from "vitest";
import { runAudit } from "../../services/_audit/audit.ts";
import { connectOwner } from "../../services/_database/connect-owner.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { silentLog } from "../../services/_runtime/log.ts";
import { readStatement } from "../../services/bank/sandbox/statement.ts";
import { startBench } from "../testing/tripe.ts";
import { copyBankLines } from "./many-bank-lines.ts";
import { copyRows } from "./many-rows.ts";

const bench = await startBench();
const { tripe } = bench;

test("copies of a charge and its customer have every row of the real ones, and the audit proves their books", async () => {
  const customer = await bench.ask({ method: "POST", url: "/v1/customers", payload: { source: "tok_visa" } });
  const payload = { amount: 2000, currency: "usd", customer: customer.body["id"] };
  const charge = await bench.ask({ method: "POST", url: "/v1/charges", payload });
  const [customerId, chargeId] = [String(customer.body["id"]), String(charge.body["id"])];
  const client = await connectOwner(tripe.database.urls.owner, "tripe_bench_test");
  try {
    const { rows } = await client.query<{ bank_ref: string }>("select bank_ref from tripe.attempt");
    const model = { accountId: tripe.accountId, customerId, chargeId };
    await copyRows(tripe.database.urls.owner, model, { from: 1, to: 3 }, { from: 1, to: 20 });
    await copyBankLines(tripe.statementFile, rows[0]?.bank_ref ?? "", { from: 1, to: 20 });
    const { rows: spread } = await client.query(
      "select count(*)::int from tripe.charge group by customer_id order by 1",
    );
    expect(spread.map(({ count }) => count)).toEqual([1, 6, 7, 7]);
  } finally {
    await client.end();
  }
  const findings = await runAudit({
    databaseUrl: tripe.database.urls.audit,
    statement: readStatement(tripe.statementFile),
    dataDir: tripe.config.dataDir,
    clock: systemClock,
    log: silentLog,
  });
  expect(findings).toEqual([]);
  const list = await bench.ask({ method: "GET", url: "/v1/charges?limit=100" });
  expect(list.body["data"]).toHaveLength(21);
  expect((await bench.ask({ method: "GET", url: `/v1/charges/ch_${"7".padStart(24, "0")}` })).body).toMatchObject({
    status: "succeeded",
    customer: `cus_${"2".padStart(24, "0")}`,
  });
});
