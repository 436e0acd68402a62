import { expect, onTestFinished, test } from "vitest";
import { silentLog } from "../_runtime/log.ts";
import { connectDatabase } from "./connect.ts";
import { setRoles } from "./roles.ts";
import { seed } from "./seed.ts";
import { createTestDatabase } from "./testing.ts";
import { renamed } from "./testing-server.ts";

const log = silentLog;
const { urls } = await createTestDatabase();

type Role = keyof typeof urls;

function setup(role: Role, url = urls[role]) {
  const database = connectDatabase({ url, role, connectionsMax: 2, log });
  onTestFinished(() => database.close());
  const run = async (text: string) => {
    try {
      await database.query({ name: "", text }, []);
      return "done";
    } catch (error) {
      return error instanceof Error && "code" in error ? error.code : error;
    }
  };
  return { run, database };
}

const denied = "42501";
/** What a role without rights on a schema is shown: tables that are not there. */
const missingSchema = "42P01";
const readOnly = "25006";

test("the reader and the audit read everything and change nothing", async () => {
  for (const role of ["reader", "audit"] as const) {
    const { run } = setup(role);
    expect(await run("select from customer")).toBe("done");
    expect(await run("select from ledger_entry")).toBe("done");
    expect(await run("update customer set name = ''")).toBe(readOnly);
    const writable = setup(role, `${urls[role]}&options=-c%20default_transaction_read_only%3Doff`);
    expect(await writable.run("delete from customer")).toBe(denied);
    expect(await writable.run("insert into account default values")).toBe(denied);
    expect(await writable.run("create table tripe.mine ()")).toBe(denied);
  }
});

test("the writer changes what changes, and posts to the ledger without ever changing it", async () => {
  const { run } = setup("writer");
  expect(await run("update customer set name = '' where false")).toBe("done");
  expect(await run("delete from customer where false")).toBe("done");
  for (const table of ["ledger_transfer", "ledger_entry"]) {
    expect(await run(`insert into ${table} select * from ${table}`)).toBe("done");
    expect(await run(`update ${table} set account_id = ''`)).toBe(denied);
    expect(await run(`delete from ${table}`)).toBe(denied);
    expect(await run(`truncate ${table} cascade`)).toBe(denied);
  }
  expect(await run("select from migration")).toBe(denied);
  expect(await run("drop table customer")).toBe(denied);
  expect(await run("create table public.mine ()")).toBe(denied);
  expect(await run("truncate customer cascade")).toBe(denied);
});

test("the ledger refuses even its owner", async () => {
  const { run } = setup("owner");
  expect(await run("truncate ledger_entry, ledger_transfer cascade")).toBe(denied);
});

test("each role's connections start with the limits of the design", async () => {
  const text = `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
    current_setting('idle_in_transaction_session_timeout') as idle, current_setting('search_path') as path`;
  for (const role of ["reader", "writer"] as const) {
    const rows = await setup(role).database.query({ name: "", text }, []);
    expect(rows).toEqual([{ statement: "5s", lock: "1s", idle: "5s", path: "tripe" }]);
  }
});

test("roles set again keep working, with the passwords of the last time", async () => {
  const { url, passwords, read } = await setupOwn();
  const first = await setRoles({ url, passwords, log });
  const verifiers = "select rolpassword from pg_authid where rolname ~ $1 order by rolname";
  const before = await read(verifiers, databaseIdOf(first.reader));
  expect(before).toHaveLength(3);
  const second = await setRoles({ url, passwords, log });
  expect(second).toEqual(first);
  // A pooler that keeps what Postgres stores of a password goes on letting the role in.
  expect(await read(verifiers, databaseIdOf(first.reader))).toEqual(before);
  expect(await setup("writer", second.writer).run("select from customer")).toBe("done");
});

test("the roles of a database are its own: not those of its copy, nor of another, and a rename leaves them", async () => {
  const { url, passwords, read } = await setupOwn();
  const original = await setRoles({ url, passwords, log });
  const copyUrl = renamed(url, `${new URL(url).pathname.slice(1)}_copy`);
  const name = new URL(copyUrl).pathname.slice(1);
  const source = name.replace("_copy", "");
  await whenNobodyIsConnected(read, `create database ${name} template ${source}`, source);
  onTestFinished(async () => void (await read(`drop database if exists ${name}_renamed with (force)`)));
  // The copy's key is another: whoever copied it may not be whoever runs the original.
  const copy = await setRoles({ url: copyUrl, passwords: (role) => `other ${role}`, log });
  expect(databaseIdOf(copy.reader)).not.toBe(databaseIdOf(original.reader));
  expect(await setup("writer", copy.writer).run("select from customer")).toBe("done");
  expect(await setup("writer", original.writer).run("select from customer")).toBe("done");
  // What the original's roles might do in the copy was copied too, and is taken back.
  expect(await setup("writer", renamed(original.writer, name)).run("select from customer")).toBe(missingSchema);
  await whenNobodyIsConnected(read, `alter database ${name} rename to ${name}_renamed`, name);
  const moved = await setRoles({ url: renamed(url, `${name}_renamed`), passwords: (role) => `other ${role}`, log });
  expect(databaseIdOf(moved.reader)).toBe(databaseIdOf(copy.reader));
});

test("a database moves over from roles that all databases of a server shared", async () => {
  const { url, passwords, read, run } = await setupOwn();
  const other = await createTestDatabase();
  const shared = ["tripe_reader", "tripe_writer", "tripe_audit", "tripe_scheduler"];
  for (const role of shared) await read(`create role ${role}`);
  await run("grant usage on schema tripe to tripe_reader; grant select on all tables in schema tripe to tripe_reader");
  const elsewhere = setup("owner", other.urls.owner);
  expect(await elsewhere.run("grant select on tripe.customer to tripe_writer")).toBe("done");
  await setRoles({ url, passwords, log });
  const left = () => read("select rolname::text as name from pg_roles where rolname = any($1)", shared);
  expect(await left()).toEqual([{ name: "tripe_writer" }]);
  await other.drop();
  await setRoles({ url, passwords, log });
  expect(await left()).toEqual([]);
});

test("the roles of a database that is gone are dropped", async () => {
  const { url, passwords, read, drop } = await setupOwn();
  const { reader } = await setRoles({ url, passwords, log });
  await drop();
  await setRoles({ url: (await setupOwn()).url, passwords, log });
  expect(await read("select from pg_roles where rolname = $1", new URL(reader).username)).toEqual([]);
});

test("who may not connect or make temporary tables by default is let in all the same", async () => {
  const { url, passwords, read } = await setupOwn();
  await read(`revoke all on database ${new URL(url).pathname.slice(1)} from public`);
  const { reader, audit } = await setRoles({ url, passwords, log });
  expect(await setup("reader", reader).run("select from customer")).toBe("done");
  expect(await setup("audit", audit).run("begin read write; create temp table mine (); commit")).toBe("done");
});

test("whatever a database says by default, the roles' connections and the owner's begin as they must", async () => {
  const { url, passwords, read } = await setupOwn();
  const name = new URL(url).pathname.slice(1);
  const odd = {
    search_path: "pg_catalog",
    default_transaction_isolation: "serializable",
    default_transaction_read_only: "on",
    timezone: "Asia/Kathmandu",
    datestyle: "SQL, DMY",
    bytea_output: "escape",
    intervalstyle: "iso_8601",
    synchronous_commit: "off",
    jit: "on",
    plan_cache_mode: "force_custom_plan",
  };
  for (const [setting, value] of Object.entries(odd))
    await read(`alter database ${name} set ${setting} = ${setting === "datestyle" ? value : `'${value}'`}`);
  const { writer } = await setRoles({ url, passwords, log });
  await seed({ ownerUrl: url, secretKey: "sk_test_odd12345678" });
  const { database } = setup("writer", writer);
  const text = `select account_id from account where is_live and create_time > '2020-12-31'`;
  expect(await database.query({ name: "", text }, [])).toHaveLength(1);
  const shown = Object.keys(odd).map((setting) => `current_setting('${setting}') as ${setting}`);
  const [row] = await database.query({ name: "", text: `select ${shown.join(", ")}` }, []);
  expect(row).toEqual({
    search_path: "tripe",
    default_transaction_isolation: "read committed",
    default_transaction_read_only: "off",
    timezone: "UTC",
    datestyle: "ISO, MDY",
    bytea_output: "hex",
    intervalstyle: "postgres",
    synchronous_commit: "on",
    jit: "off",
    plan_cache_mode: "force_generic_plan",
  });
});

/** A database whose roles are set by the test: those of the file's own are the template's, which other files use meanwhile. */
async function setupOwn() {
  const { name, urls: own, drop } = await createTestDatabase();
  const url = new URL(own.owner);
  url.searchParams.delete("options");
  const server = setup("owner", renamed(url.href, "postgres")).database;
  const { run } = setup("owner", url.href);
  const read = (text: string, ...values: unknown[]) => server.query({ name: "", text }, values);
  const passwords = (role: string) => `${name} ${role}`;
  return { url: url.href, passwords, read, run, drop };
}

function databaseIdOf(url: string): string {
  return new URL(url).username.replace(/^.*_/, "");
}

/** Runs a statement that Postgres refuses while anybody is connected to a database; a connection ends a moment after its close. */
async function whenNobodyIsConnected(
  read: (text: string) => Promise<unknown>,
  text: string,
  name: string,
): Promise<void> {
  const terminate = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`;
  await expect
    .poll(() =>
      read(terminate)
        .then(() => read(text))
        .then(() => "done"),
    )
    .toBe("done");
}
