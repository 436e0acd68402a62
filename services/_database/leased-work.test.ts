import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { silentLog as log } from "../_runtime/log.ts";
import { createClient } from "./connect-client.ts";
import { migrate, migrationsFolder } from "./migrate.ts";
import { setRoles } from "./roles.ts";
import { createTestDatabase } from "./testing.ts";

/** The first migration after the one that dropped the queue is not there yet when it runs. */
const LAST_BEFORE = "0025";

async function setup() {
  const { urls, drop } = await createTestDatabase({ isEmpty: true });
  const folder = await mkdtemp(join(tmpdir(), "tripe-migrations-"));
  const client = createClient({ url: urls.owner, name: "tripe_test" });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await drop();
    await rm(folder, { recursive: true });
  });
  for (const name of await readdir(migrationsFolder)) {
    if (name.slice(0, 4) <= LAST_BEFORE) await cp(join(migrationsFolder, name), join(folder, name));
  }
  await migrate({ url: urls.owner, log, folder });
  const read = async (text: string, ...values: unknown[]) => (await client.query(text, values)).rows;
  return { url: urls.owner, read, run: (text: string) => client.query(text) };
}

const now = "statement_timestamp()";
const event = (id: string, type: string, more = `${now}`) =>
  `('acct_1', '${id}', '${type}', 'x_1', '', '', '', ${now}, ${more})`;
const delivery = (id: string, more: string) => `('acct_1', '${id}', 'we_1', ${more}, ${now})`;

/** What a Tripe of before had left in its tables, and in its queue. */
const ROWS = `
  insert into account (account_id, is_live, name, email, address, default_currency_code, create_time)
    values ('acct_1', false, '', 'owner@example.com', '', 'USD', ${now});
  insert into customer (account_id, customer_id, email, name, phone, description, metadata, invoice_prefix, create_time)
    values ('acct_1', 'cus_1', '', '', '', '', '{}', 'ABC', ${now});
  insert into invoice (account_id, invoice_id, revision, state, customer_id, currency_code, subtotal_minor, discount_minor,
      total_minor, amount_due_minor, paid_minor, description, footer, metadata, billing_reason, collection_method,
      is_auto_advancing, days_until_due, period_start_time, period_end_time, attempt_count, is_paid_out_of_band, create_time)
    values ('acct_1', 'in_1', 1, 'draft', 'cus_1', 'USD', 0, 0, 0, 0, 0, '', '', '{}', 'manual', 'send_invoice', true, 7,
      ${now}, ${now}, 0, false, ${now});
  insert into sending (account_id, sending_id, invoice_id, request_id, tries, due_time, message_id, pdf_sha256, is_given_up,
      create_time, send_time) values
    ('acct_1', 'snd_due', 'in_1', 'req_1', 3, ${now}, null, null, false, ${now}, null),
    ('acct_1', 'snd_sent', 'in_1', 'req_2', 1, null, 'm', decode(repeat('00', 32), 'hex'), false, ${now}, ${now}),
    ('acct_1', 'snd_over', 'in_1', 'req_3', 1, null, null, null, true, ${now}, null);
  insert into webhook_endpoint (account_id, webhook_endpoint_id, url, event_types, description, metadata, match_time, create_time,
      disable_reason, disable_time, notice_time) values
    ('acct_1', 'we_1', 'https://example.com', '{"*"}', '', '{}', ${now}, ${now}, null, null, null),
    ('acct_1', 'we_queued', 'https://example.com', '{"*"}', '', '{}', ${now}, ${now}, 'gone', '2026-01-02T03:04:05.678Z', ${now}),
    ('acct_1', 'we_untold', 'https://example.com', '{"*"}', '', '{}', ${now}, ${now}, 'failing', '2026-01-02T03:04:06Z', null),
    ('acct_1', 'we_told', 'https://example.com', '{"*"}', '', '{}', ${now}, ${now}, 'gone', ${now}, ${now});
  insert into event (account_id, event_id, type, object_id, snapshot, public_request_id, idempotency_key, create_time,
      dispatch_time) values
    ${["waits", "retries", "runs", "done", "died"].map((id) => event(`evt_${id}`, "charge.succeeded")).join(", ")},
    ${event("evt_returned", "refund.created")}, ${event("evt_undispatched", "charge.succeeded", "null")};
  insert into delivery (account_id, event_id, webhook_endpoint_id, state, turn, rung, due_time, queue_time, create_time) values
    ${delivery("evt_waits", `'due', 1, 0, ${now}, null`)}, ${delivery("evt_runs", `'due', 2, 1, ${now}, ${now}`)},
    ${delivery("evt_retries", `'due', 3, 2, ${now} + interval '5 hours', null`)},
    ${delivery("evt_done", "'delivered', 1, 0, null, null")}, ${delivery("evt_died", "'dead', 9, 9, null, null")};
  insert into jobs.job (name, data, state, retry_count, start_after) values
    ('mail', '{"accountId": "acct_1", "eventId": "evt_waits"}', 'created', 0, ${now}),
    ('mail', '{"accountId": "acct_1", "eventId": "evt_retries"}', 'retry', 7, ${now} + interval '1 hour'),
    ('mail', '{"accountId": "acct_1", "eventId": "evt_runs"}', 'active', 0, ${now}),
    ('mail', '{"accountId": "acct_1", "eventId": "evt_returned"}', 'active', 1, ${now}),
    ('mail', '{"accountId": "acct_1", "eventId": "evt_done"}', 'completed', 0, ${now}),
    ('mail', '{"accountId": "acct_1", "eventId": "evt_died"}', 'failed', 160, ${now}),
    ('mail_dead', '{"accountId": "acct_1", "eventId": "evt_died"}', 'created', 0, ${now}),
    ('mail', '{"accountId": "acct_1", "webhookEndpointId": "we_queued", "disableMs": 1767323045678}', 'retry', 2, ${now}),
    ('mail', '{"accountId": "acct_1", "eventId": "evt_none"}', 'created', 0, ${now}), ('mail', '"words"', 'created', 0, ${now}),
    ('webhook', '{"accountId": "acct_1", "eventId": "evt_runs", "webhookEndpointId": "we_1", "turn": 2}', 'active', 0, ${now}),
    ('webhook_dead', '{}', 'created', 0, ${now});`;

test("what the queue of before still held is due after the update, and nothing is lost or sent twice", async () => {
  const { url, read, run } = await setup();
  const [{ role }] = await read(
    "select 'tripe_scheduler_' || oid as role from pg_database where datname = current_database()",
  );
  await run(`create role ${role}; grant ${role} to current_user; create schema jobs authorization ${role}`);
  await run(await readFile(join(import.meta.dirname, "testing", "queue-of-before.sql"), "utf8"));
  await run(`alter table jobs.job owner to ${role}; alter table jobs.job_common owner to ${role}`);
  await run(ROWS);
  await migrate({ url, log });
  expect(
    await read(
      `select mail_id, kind, object_id, state, tries, due_time > ${now} as is_later from mail order by mail_id`,
    ),
  ).toEqual([
    { mail_id: "evt_died", kind: "receipt", object_id: "evt_died", state: "dead", tries: 0, is_later: null },
    { mail_id: "evt_retries", kind: "receipt", object_id: "evt_retries", state: "due", tries: 7, is_later: true },
    {
      mail_id: "evt_returned",
      kind: "return_notice",
      object_id: "evt_returned",
      state: "due",
      tries: 1,
      is_later: false,
    },
    { mail_id: "evt_runs", kind: "receipt", object_id: "evt_runs", state: "due", tries: 0, is_later: false },
    { mail_id: "evt_waits", kind: "receipt", object_id: "evt_waits", state: "due", tries: 0, is_later: false },
    { mail_id: "snd_due", kind: "invoice", object_id: "in_1", state: "due", tries: 3, is_later: false },
    { mail_id: "snd_over", kind: "invoice", object_id: "in_1", state: "given_up", tries: 1, is_later: null },
    { mail_id: "snd_sent", kind: "invoice", object_id: "in_1", state: "sent", tries: 1, is_later: null },
    ...[
      { mail_id: "we_queued/disabled/1767323045678", object_id: "we_queued", tries: 2 },
      { mail_id: "we_untold/disabled/1767323046000", object_id: "we_untold", tries: 0 },
    ].map((mail) => ({ ...mail, kind: "disabled_endpoint", state: "due", is_later: false })),
  ]);
  const told = await read(
    "select to_char(create_time at time zone 'UTC', 'SS.MS') as s from mail where kind like 'dis%' order by 1",
  );
  expect(told).toEqual([{ s: "05.678" }, { s: "06.000" }]);
  expect(await read(`select event_id, state, due_time > ${now} as is_later from delivery order by event_id`)).toEqual([
    { event_id: "evt_died", state: "dead", is_later: null },
    { event_id: "evt_done", state: "delivered", is_later: null },
    { event_id: "evt_retries", state: "due", is_later: true },
    { event_id: "evt_runs", state: "due", is_later: false },
    { event_id: "evt_waits", state: "due", is_later: false },
  ]);
  expect(await read("select event_id from event where dispatch_time is null")).toEqual([
    { event_id: "evt_undispatched" },
  ]);
  expect(await read("select from pg_namespace where nspname = 'jobs'")).toEqual([]);
  await setRoles({ url, passwords: (name) => `password of ${name}`, log });
  expect(await read("select from pg_roles where rolname = $1", role)).toEqual([]);
});

test("a Tripe whose queue was never opened is updated too", async () => {
  const { url, read, run } = await setup();
  await run("create schema jobs");
  await migrate({ url, log });
  expect(await read("select from mail")).toEqual([]);
  expect(await read("select from pg_namespace where nspname = 'jobs'")).toEqual([]);
});
