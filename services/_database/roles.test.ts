import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { silentLog } from "../_runtime/log.ts";
import { connectDatabase } from "./connect.ts";
import { setRoles } from "./roles.ts";
import { createTestDatabase } from "./testing.ts";

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

test("the scheduler owns the schema jobs and sees nothing of tripe", async () => {
  const { run } = setup("scheduler");
  expect(await run("create table jobs.probe (id int)")).toBe("done");
  expect(await run("select from tripe.customer")).toBe(denied);
  expect(await setup("reader").run("select from jobs.probe")).toBe(denied);
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
  const database = await createTestDatabase();
  const { query } = setup("owner", database.urls.owner).database;
  // Roles belong to the server, which other test files use meanwhile: the same passwords are set again.
  const passwords = (name: string) =>
    Object.values(database.urls)
      .map((url) => new URL(url))
      .find((url) => url.username === name)?.password ?? "";
  await setRoles({ url: database.urls.owner, passwords });
  expect(await setup("writer", database.urls.writer).run("select from customer")).toBe("done");
  expect(await query({ name: "", text: "select from pg_roles where rolname ~ '^tripe_'" }, [])).toHaveLength(4);
});

test("an owner that may not create roles is told so", async () => {
  const { run } = setup("owner");
  const [name, password] = [`plain_${randomBytes(4).toString("hex")}`, "secret"];
  expect(await run(`create role ${name} login password '${password}'`)).toBe("done");
  onTestFinished(() => setupDrop(name));
  const url = new URL(urls.owner);
  url.username = name;
  url.password = password;
  await expect(setRoles({ url: url.href, passwords: () => "" })).rejects.toThrow("may not create roles");
});

async function setupDrop(name: string): Promise<void> {
  const database = connectDatabase({ url: urls.owner, role: "owner", connectionsMax: 2, log });
  await database.query({ name: "", text: `drop role ${name}` }, []);
  await database.close();
}
