import { expect, test } from "vitest";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { createBillingSteps, line } from "./testing-billing.ts";

const { accountId, setup: steps, rows, asOwner } = await startTestWriter();

/** Far more than a sweep takes. */
const WAITING = 600;

/** The ends of a few indexes, with what the test itself left dead in them; it was 1,265 when all that waits was read. */
const PAGES_MAX = 60;

/** Makes so many copies of a row, with another id and other changes. */
async function copy(table: string, id: string, changes = "") {
  await asOwner(
    `insert into ${table} select (jsonb_populate_record(t, jsonb_build_object('${table}_id', '${createId("x_")}' || n${changes}))).*
      from ${table} t, generate_series(1, ${WAITING}) n where t.${table}_id = $1`,
    id,
  );
}

/** The pages that a sweep reads, once it is planned. */
async function pagesOf(sweep: () => Promise<unknown>): Promise<number> {
  // The first ones plan anew, which reads the catalog.
  for (let index = 0; index < 10; index += 1) await sweep();
  await asOwner(
    "select public.pg_stat_statements_reset(0, oid, 0) from pg_database where datname = current_database()",
  );
  await sweep();
  const [row] = await asOwner<{ pages: number }>(
    `select sum(shared_blks_hit + shared_blks_read)::int as pages
      from public.pg_stat_statements join pg_database d on d.oid = dbid
      where d.datname = current_database() and query like '%due_by_clock%'`,
  );
  return row?.pages ?? Number.NaN;
}

test("sweeps read nothing of what comes due later, however much waits", async () => {
  const { writer } = steps();
  const { createCustomer, createPrice, createOpen, subscribe } = createBillingSteps(writer, accountId);
  const customerId = await createCustomer();
  const { invoiceId } = await createOpen(customerId, [line()], { isAutoAdvancing: true });
  const { subscription } = await subscribe(customerId, await createPrice());
  await copy("invoice", invoiceId, ", 'sequence', 1000 + n, 'subscription_id', null, 'period_index', null");
  await copy("subscription", subscription.subscriptionId);
  await rows("update invoice set next_attempt_time = business_now() + interval '1 day', lease_end_time = null");
  await rows("update subscription set renew_time = business_now() + interval '1 day'");
  expect(await pagesOf(() => writer.leaseCollections({ limit: 100 }))).toBeLessThan(PAGES_MAX);
  expect(await pagesOf(() => writer.leaseRenewals({ limit: 100 }))).toBeLessThan(PAGES_MAX);
  expect(await pagesOf(() => writer.beginExpiries({ limit: 100 }))).toBeLessThan(PAGES_MAX);
});
