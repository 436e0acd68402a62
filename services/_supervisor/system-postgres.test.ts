import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { connectOwner } from "../_database/connect-owner.ts";
import { seed } from "../_database/seed.ts";
import {
  hasPooler,
  type SystemServer,
  startSystemPostgres,
  systemMajor,
} from "../_database/testing/system-postgres.ts";
import { readConfig } from "../_runtime/config.ts";
import { createMemoryFolder } from "../_runtime/testing/memory-folder.ts";
import { createMemoryLog } from "../_runtime/testing/memory-log.ts";
import { openDatabase } from "./database.ts";

const dataDir = await createMemoryFolder("tripe-open-");
afterAll(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
let count = 0;

function open(url: string, folder = String(++count)) {
  const log = createMemoryLog();
  const config = readConfig({ DATABASE_URL: url, TRIPE_DATA_DIR: join(dataDir, folder) });
  return openDatabase({ config, log, seed });
}

const isHere = systemMajor !== undefined;
const hasBoth = isHere && hasPooler;
let server: SystemServer;
beforeAll(async () => {
  if (!isHere) return;
  server = await startSystemPostgres({ ssl: "off" });
  await server.asAdmin("create role merchant login createrole password 'merchant'");
});

async function createDatabase(more = "") {
  const name = `shop_${++count}`;
  await server.asAdmin(`create database ${name} owner merchant ${more}`);
  onTestFinished(() => server.asAdmin(`drop database if exists ${name} with (force)`));
  return name;
}

test.skipIf(!isHere)("a database by its socket's folder, without a host, is opened and named", async () => {
  const name = await createDatabase();
  const url = `postgres://merchant:merchant@/${name}?host=${server.folder}&port=${server.port}`;
  const { place, urls } = await open(url);
  expect(place).toBe(`${server.folder}:${server.port}`);
  const writer = await connectOwner(urls.writer, "tripe_test");
  const { rows } = await writer.query("select count(*)::int as count from account");
  expect(rows).toEqual([{ count: 2 }]);
  await writer.end();
});

test.skipIf(!isHere)("ids sort by their making in a database of a language's locale", async () => {
  const name = await createDatabase("template template0 locale_provider icu icu_locale 'en-US'");
  const url = server.urlOf("merchant", name);
  await open(url, name);
  const owner = await connectOwner(url, "tripe_test");
  const sorted = "select x from (values ('ch_a'), ('ch_B')) v(x) order by x";
  expect((await owner.query(sorted)).rows).toEqual([{ x: "ch_a" }, { x: "ch_B" }]);
  const { rows } = await owner.query(
    `select count(*)::int as count from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'tripe'::regnamespace and c.relkind = 'r' and attnum > 0
          and attcollation not in (0, (select oid from pg_collation where collname = 'C'))`,
  );
  expect(rows).toEqual([{ count: 0 }]);
  // As a statement compares: a column's order goes before that of a text beside it.
  const isBefore = "select 'acct_B' < replace(account_id, account_id, 'acct_a') as x from tripe.account limit 1";
  expect((await owner.query(isBefore)).rows).toEqual([{ x: true }]);
  await owner.end();
  await open(url, name);
});

test.skipIf(!isHere).each([
  [
    "may not make a schema",
    "revoke create on database NAME from merchant; alter database NAME owner to admin",
    "grant create on database NAME to merchant",
  ],
  ["may not create roles", "alter role merchant nocreaterole", "alter role merchant createrole"],
])("a role that %s is refused in words that name the grant", async (words, change, grant) => {
  const name = await createDatabase();
  await server.asAdmin(change.replaceAll("NAME", name));
  const advice = `${words}.*: let the server's administrator run: ${grant.replace("NAME", name)}$`;
  await expect(open(server.urlOf("merchant", name), name)).rejects.toThrow(new RegExp(advice));
  await server.asAdmin(grant.replace("NAME", name));
  await open(server.urlOf("merchant", name), name);
});

test.skipIf(!isHere)(
  "a role that does not own what is there is refused in words, and served as a member of the owner",
  async () => {
    const name = await createDatabase();
    await open(server.urlOf("merchant", name), name);
    await server.asAdmin("create role other login createrole password 'other'");
    await server.asAdmin(`grant create on database ${name} to other`);
    const url = server.urlOf("other", name);
    const words = `does not own what Tripe made in the database ${name}: connect as merchant, or let .* run: grant merchant to other$`;
    await expect(open(url, name)).rejects.toThrow(new RegExp(words));
    await server.asAdmin("grant merchant to other");
    await open(url, name);
  },
);

test.skipIf(!isHere).each([
  [
    "another encoding",
    "template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'",
    "keeps texts as LATIN1, and Tripe needs UTF8",
  ],
  ["too few connections", "connection limit 9", "allows 9 connections, and Tripe needs 24"],
])("a database of %s is refused in one sentence", async (_what, more, words) => {
  await expect(open(server.urlOf("merchant", await createDatabase(more)))).rejects.toThrow(words);
});

test.skipIf(!isHere).each([
  ["merchant:wrong", "shop", /does not let the user merchant in \(password authentication failed/],
  ["merchant:merchant", "nowhere", /does not exist \(database "nowhere" does not exist\)/],
  ["merchant:merchant", "postgres?sslmode=require", /has no TLS, which DATABASE_URL asks for/],
])("%s on %s is refused in one sentence", async (user, path, words) => {
  const opening = open(`postgres://${user}@127.0.0.1:${server.port}/${path}`);
  await expect(opening).rejects.toThrow(words);
  await expect(opening).rejects.toThrow(/^the database of DATABASE_URL, 127\.0\.0\.1:\d+, [^\n]+$/);
});

test.skipIf(!isHere)("an owner that is no superuser leaves the roles behind that all databases shared", async () => {
  const name = await createDatabase();
  const url = server.urlOf("merchant", name);
  const owner = await connectOwner(url, "tripe_test");
  const shared = ["tripe_audit", "tripe_reader", "tripe_scheduler", "tripe_writer"];
  for (const role of shared) await owner.query(`create role ${role} login`);
  await owner.query("create schema tripe; grant usage on schema tripe to tripe_reader, tripe_writer, tripe_audit");
  await owner.query("grant tripe_scheduler to merchant; create schema jobs authorization tripe_scheduler");
  await owner.query("set role tripe_scheduler; create table jobs.kept (); reset role");
  await open(url, name);
  const { rows } = await owner.query("select rolname from pg_roles where rolname = any($1)", [shared]);
  expect(rows).toEqual([]);
  expect((await owner.query("select from pg_namespace where nspname = 'jobs'")).rows).toEqual([]);
  await owner.end();
});

test.skipIf(!isHere)("a standby is refused in one sentence", async () => {
  const standby = await startSystemPostgres({}, { isStandby: true });
  await expect(open(standby.urlOf("admin", "postgres"))).rejects.toThrow(
    /is a standby, which can only be read: give the address of its primary$/,
  );
});

test.skipIf(!hasBoth).each(["transaction", "statement"])(
  "behind pgbouncer, pool_mode=%s is refused in words",
  async (mode) => {
    const port = await server.startPooler({ pool_mode: mode });
    const url = server.urlOf("merchant", await createDatabase()).replace(String(server.port), String(port));
    await expect(open(url)).rejects.toThrow(/is a pooler that .* set pool_mode=session for it, or give Postgres' own/);
    await expect(open(`${url}&options=-c%20search_path%3Dx`)).rejects.toThrow(
      /a pooler that refuses what DATABASE_URL/,
    );
  },
);

test.skipIf(!hasBoth)("behind pgbouncer, pool_mode=session serves, over a restart too", async () => {
  const port = await server.startPooler({ pool_mode: "session" });
  const name = await createDatabase();
  const url = server.urlOf("merchant", name).replace(String(server.port), String(port));
  const first = await open(url, name);
  expect((await open(url, name)).urls).toEqual(first.urls);
});

test.skipIf(!hasBoth)("a pooler that does not know Tripe's roles, or makes them one, is refused in words", async () => {
  const name = await createDatabase();
  const known = await server.startPooler({ pool_mode: "session", auth_query: "select null, null where $1 = ''" });
  const at = (port: number) => server.urlOf("merchant", name).replace(String(server.port), String(port));
  await expect(open(at(known), name)).rejects.toThrow(
    /does not let Tripe's own role tripe_reader_\d+ in .*: a pooler needs an auth_query/,
  );
  const forced = await server.startPooler({ pool_mode: "session" }, "user=merchant password=merchant");
  await expect(open(at(forced), name)).rejects.toThrow(/connects tripe_reader_\d+ as merchant/);
});
