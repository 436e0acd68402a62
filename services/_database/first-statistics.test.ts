import { expect, onTestFinished, test } from "vitest";
import { createClient } from "./connect-client.ts";
import { writeFirstStatistics } from "./first-statistics.ts";
import { createTestDatabase } from "./testing.ts";

const { urls } = await createTestDatabase();

async function setup() {
  const client = createClient({ url: urls.owner, name: "test" });
  await client.connect();
  onTestFinished(() => client.end());
  const { rows } = await client.query<{ version: number }>(
    "select current_setting('server_version_num')::int as version",
  );
  return { client, isWritten: (rows[0]?.version ?? 0) >= 180_000 };
}

/** The statement that settlements read by, as the writer plans it: once, for every later run. */
const SETTLING = `prepare settling (text[], text[], text[]) as
  select c.state, t.outcome, p.brand, a.is_live
  from unnest($1, $2, $3) as i(account_id, charge_id, attempt_id)
  join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id
  join payment_method p on p.account_id = c.account_id and p.payment_method_id = c.payment_method_id
  join account a on a.account_id = c.account_id
  join attempt t on t.account_id = i.account_id and t.attempt_id = i.attempt_id and t.charge_id = i.charge_id`;

test("a fresh database's plans find each row by its whole key, not by its account", async () => {
  const { client, isWritten } = await setup();
  if (!isWritten) return;
  await client.query("set plan_cache_mode = force_generic_plan; set enable_seqscan = off");
  await client.query(SETTLING);
  const { rows } = await client.query<{ "QUERY PLAN": string }>(
    "explain (costs off) execute settling(array['a'], array['b'], array['c'])",
  );
  const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
  for (const key of ["charge_id", "payment_method_id", "attempt_id"]) {
    expect(plan).toMatch(
      new RegExp(`Index Cond: \\(\\(account_id = \\w+\\.account_id\\) AND \\(${key} = \\w+\\.${key}\\)\\)`),
    );
  }
});

test("statistics of ANALYZE are left alone, and first ones are written once", async () => {
  const { client, isWritten } = await setup();
  const ofAccount = async () => {
    const { rows } = await client.query<{ tablename: string; n_distinct: number }>(
      `select tablename, n_distinct from pg_stats
        where schemaname = 'tripe' and attname = 'account_id' and tablename in ('charge', 'test_clock') order by 1`,
    );
    return rows.map((row) => [row.tablename, row.n_distinct]);
  };
  const written = isWritten
    ? [
        ["charge", 2],
        ["test_clock", 2],
      ]
    : [];
  expect(await ofAccount()).toEqual(written);
  await client.query(
    `insert into account (account_id, is_live, name, email, address, default_currency_code, create_time)
      select 'acct_' || n, false, 'N', '', '', 'USD', statement_timestamp() from generate_series(1, 9) n`,
  );
  await client.query(
    `insert into test_clock (account_id, test_clock_id, business_time, create_time)
      select 'acct_' || n, 'clock_' || n, statement_timestamp(), statement_timestamp() from generate_series(1, 9) n`,
  );
  await client.query("analyze test_clock");
  expect(await writeFirstStatistics(client)).toEqual([]);
  expect(await ofAccount()).toEqual([...written.slice(0, 1), ["test_clock", -1]]);
});
