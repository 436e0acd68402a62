import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { silentLog } from "../_runtime/log.ts";
import { connectDatabase } from "./connect.ts";
import { listSchema } from "./listing.ts";
import { migrate } from "./migrate.ts";
import { createTestDatabase } from "./testing.ts";

const log = silentLog;

async function setup(files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), "tripe-migrations-"));
  const { urls, drop } = await createTestDatabase({ isEmpty: true });
  const database = connectDatabase({ url: urls.owner, role: "owner", connectionsMax: 2, log });
  onTestFinished(async () => {
    await database.close();
    await drop();
    await rm(folder, { recursive: true });
  });
  const write = async (more: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(more)) await writeFile(join(folder, name), text);
  };
  await write(files);
  const run = () => migrate({ url: urls.owner, log, folder });
  const read = <Row>(text: string) => database.query<Row>({ name: "", text }, []);
  return { run, read, write, url: urls.owner };
}

const first = { "0001_item.sql": "create table item (id bigint primary key);\ninsert into item values (1);\n" };

test("migrations run once, in order, in the schema tripe", async () => {
  const { run, read, write } = await setup(first);
  expect(await run()).toEqual(["0001_item.sql"]);
  await write({ "0002_more.sql": "insert into item values (2);" });
  expect(await run()).toEqual(["0002_more.sql"]);
  expect(await run()).toEqual([]);
  expect(await read("select id from tripe.item order by id")).toEqual([{ id: 1n }, { id: 2n }]);
  const applied = await read(
    "select number, name, length(sha256) as length, apply_time <= now() as past from tripe.migration",
  );
  expect(applied).toEqual([
    { number: 1, name: "0001_item.sql", length: 64, past: true },
    { number: 2, name: "0002_more.sql", length: 64, past: true },
  ]);
});

test("four at once apply each migration once", async () => {
  const { run } = await setup(first);
  const names = await Promise.all([run(), run(), run(), run()]);
  expect(names.flat()).toEqual(["0001_item.sql"]);
});

test("a migration that fails leaves nothing of itself, and the message names its line", async () => {
  const { run, read, write } = await setup(first);
  await write({ "0002_bad.sql": "create table other (id int);\n\ninsert into nowhere values (1);" });
  await expect(run()).rejects.toThrow(/0002_bad\.sql:3 failed: relation "nowhere" does not exist/);
  expect(
    await read("select to_regclass('tripe.other') as other, (select max(number) from tripe.migration) as number"),
  ).toEqual([{ other: null, number: 1 }]);
});

test("a migration changed after it was applied is refused", async () => {
  const { run, write } = await setup(first);
  await run();
  await write({ "0001_item.sql": "create table item (id int);" });
  await expect(run()).rejects.toThrow("0001_item.sql was changed after it was applied");
});

test("a gap in the numbers is refused, and so is a name of another form", async () => {
  const gap = await setup({ ...first, "0003_late.sql": "" });
  await expect(gap.run()).rejects.toThrow("0003_late.sql is not");
  const named = await setup({ "1_item.sql": "" });
  await expect(named.run()).rejects.toThrow("1_item.sql is not");
});

test("a database that a newer Tripe migrated is left as it is, with a warning", async () => {
  const { url } = await setup(first);
  const warnings: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), "tripe-migrations-"));
  await writeFile(join(folder, "0001_item.sql"), first["0001_item.sql"]);
  await writeFile(join(folder, "0002_more.sql"), "select 1");
  await migrate({ url, log, folder });
  await rm(join(folder, "0002_more.sql"));
  const warn = (message: string) => warnings.push(message);
  expect(await migrate({ url, log: { ...log, warn }, folder })).toEqual([]);
  expect(warnings).toEqual(["the database was migrated by a newer Tripe"]);
  await rm(folder, { recursive: true });
});

test("the listing tells one schema from another, and says the same of the same", async () => {
  const { run, url, read } = await setup(first);
  await run();
  const before = await listSchema(url);
  expect(before).toContain("table item\n  id bigint not null\n  constraint item_pkey PRIMARY KEY (id)");
  await read("create index item_id on tripe.item (id)");
  expect(await listSchema(url)).not.toBe(before);
  await read("drop index tripe.item_id");
  expect(await listSchema(url)).toBe(before);
});
