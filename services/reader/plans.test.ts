import { afterAll, expect, test } from "vitest";
import { connectDatabase } from "../_database/connect.ts";
import { seed } from "../_database/seed.ts";
import { createTestDatabase } from "../_database/testing.ts";
import { silentLog as log } from "../_runtime/log.ts";
import { findCharge } from "./findings.ts";
import { charges } from "./listings.ts";
import { createOne } from "./one.ts";
import { readPage } from "./page.ts";
import { CREATE_TIME, createRows } from "./testing-rows.ts";

/** Postgres plans a prepared statement for its values five times, then once for all if that seems as cheap. */
const RUNS = 6;

const { urls } = await createTestDatabase();
const { sandboxAccountId: accountId } = await seed({ ownerUrl: urls.owner, secretKey: "sk_test_plans001" });
// One held connection each: what it prepared and what it set can be asked for.
const connect = (role: "owner" | "reader") => {
  const database = connectDatabase({ url: urls[role], role, connectionsMax: 2, log });
  afterAll(database.close);
  return database;
};
const { query } = connect("reader");
await fillCharges(1_100);

/** So many charges that a tenth of them is more than a page. */
async function fillCharges(count: number): Promise<void> {
  const owner = connect("owner");
  const sql = <Row>(text: string, ...values: unknown[]) => owner.query<Row>({ name: "", text }, values);
  const paymentMethodId = await createRows(sql, accountId).paymentMethod();
  // Without the triggers of foreign keys: nothing is read of these rows but themselves.
  await sql("set session_replication_role = replica");
  await sql(
    `insert into charge (account_id, charge_id, revision, state, amount_minor, currency_code, captured_minor, returned_minor,
      payment_method_id, is_from_source, description, metadata, receipt_email, statement_descriptor,
      statement_descriptor_suffix, transfer_group, authorization_code, ledger_transfer_id, request_id, create_time, settle_time)
      select $1, 'ch_' || i, 1, 'succeeded', 2000, 'USD', 2000, 0, $2, false, '', '{}', '', '', '', '', 'A1', 'txn_' || i,
        'req_' || i, $4, $4 from generate_series(1, $3::int) i`,
    ...[accountId, paymentMethodId, count, CREATE_TIME],
  );
  await sql("analyze charge");
}

const repeat = async (read: () => Promise<unknown>) => {
  for (let run = 0; run < RUNS; run += 1) await read();
};

/** By the statement's text: its name may be one that another reader in this process gave it. */
async function genericPlansOf(pattern: string): Promise<bigint[]> {
  const text = "select generic_plans from pg_prepared_statements where statement like $1";
  const rows = await query<{ generic_plans: bigint }>({ name: "", text }, [pattern]);
  return rows.map((row) => row.generic_plans);
}

test("one key at a time is read by a plan made once", async () => {
  const getCharge = createOne(query, findCharge, (row) => row);
  await repeat(() => getCharge({ accountId, id: "ch_1" }));
  expect(await genericPlansOf("%unnest(%join charge c%")).toEqual([1n]);
});

test.each([10, 100])("a list of pages of %i is read by a plan made once", async (pageSize) => {
  const page = { accountId, pageSize, pageToken: "", isBackward: false };
  await repeat(() => readPage(query, { ...charges, name: `page_${pageSize}` }, page, []));
  expect(await genericPlansOf(`%from charge c%limit ${pageSize + 1}`)).toEqual([1n]);
});
