import { Code } from "@connectrpc/connect";
import { afterAll, expect, test } from "vitest";
import { refusalOf } from "../_runtime/errors.ts";
import { silentLog } from "../_runtime/log.ts";
import { connectDatabase, type Database, violatedConstraint } from "./connect.ts";
import { guardDatabase } from "./guard.ts";
import { createTestDatabase } from "./testing.ts";

const { urls } = await createTestDatabase();

function connect(url = urls.writer) {
  const database = connectDatabase({ url, role: "writer", connectionsMax: 6, log: silentLog });
  afterAll(database.close);
  return database;
}

async function setup() {
  const database = connect();
  const owner = connect(urls.owner);
  await owner.query(sql("create table if not exists tripe.probe (id int primary key, count int not null)"), []);
  await owner.query(sql(`grant all on tripe.probe to ${new URL(urls.writer).username}`), []);
  await owner.query(sql("insert into tripe.probe values (1, 0), (2, 0) on conflict (id) do update set count = 0"), []);
  return { database, guarded: guardDatabase(database), owner };
}

const sql = (text: string) => ({ name: "", text });
const increment = sql("update probe set count = count + 1 where id = $1");

async function refusal(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return refusalOf(error);
}

/** Two transactions that take two rows in opposite order, the second row only when both hold their first. */
function cross(database: Database) {
  let arrived = 0;
  let meet: () => void = () => undefined;
  const met = new Promise<void>((resolve) => {
    meet = resolve;
  });
  const tries = { count: 0 };
  const run = (first: number, second: number) =>
    database.transaction(async (query) => {
      tries.count += 1;
      await query(increment, [first]);
      arrived += 1;
      if (arrived === 2) meet();
      await met;
      await query(increment, [second]);
    });
  return { both: Promise.allSettled([run(1, 2), run(2, 1)]), tries };
}

test("a deadlock is tried again, and both sides take effect once", async () => {
  const { guarded, database } = await setup();
  const { both, tries } = cross(guarded);
  expect((await both).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
  // One side once more at the least: it may be quicker to its first row than the other to its second.
  expect(tries.count).toBeGreaterThan(2);
  expect(await database.query(sql("select count from probe order by id"), [])).toEqual([{ count: 2 }, { count: 2 }]);
});

test("without the guard, one side of a deadlock is refused: what is tried again is a real one", async () => {
  const { database } = await setup();
  const results = await cross(database).both;
  const codes = results.flatMap((result) => (result.status === "rejected" ? [String(result.reason.code)] : []));
  expect(codes).toEqual(["40P01"]);
});

test("a wait for a lock that lasts too long is DATABASE_BUSY, and took no effect", async () => {
  const { database, guarded } = await setup();
  const refused = await database.transaction(async (query) => {
    await query(increment, [1]);
    return refusal(guarded.query(increment, [1]));
  });
  expect(refused).toMatchObject({ code: Code.Aborted, reason: "DATABASE_BUSY" });
  expect(await database.query(sql("select count from probe where id = 1"), [])).toEqual([{ count: 1 }]);
});

test("a statement that runs too long is DATABASE_BUSY", async () => {
  const { guarded } = await setup();
  const refused = guarded.transaction(async (query) => {
    await query(sql("set local statement_timeout = '20ms'"), []);
    await query(sql("select pg_sleep(5)"), []);
  });
  expect(await refusal(refused)).toMatchObject({ code: Code.Aborted, reason: "DATABASE_BUSY" });
});

test("a Postgres that is not there is DATABASE_UNAVAILABLE, for statements and transactions", async () => {
  const gone = new URL(urls.writer);
  // Port 9 is RFC 863's, which nothing listens on here; a socket folder that is not there is as gone.
  gone.port = "9";
  if (gone.searchParams.has("host")) gone.searchParams.set("host", "/nowhere");
  const guarded = guardDatabase(connect(gone.href));
  const away = {
    code: Code.Unavailable,
    reason: "DATABASE_UNAVAILABLE",
    message: "the database is not there: nothing listens",
  };
  expect(await refusal(guarded.query(increment, [1]))).toMatchObject(away);
  expect(await refusal(guarded.transaction((query) => query(increment, [1])))).toMatchObject(away);
});

test("a connection that dies under a statement is DATABASE_UNAVAILABLE, and the next one works", async () => {
  const { guarded, owner } = await setup();
  const asleep = guarded.transaction(async (query) => {
    const [row] = await query<{ pid: number }>(sql("select pg_backend_pid() as pid"), []);
    const kill = owner.query(sql("select pg_terminate_backend($1)"), [row?.pid]);
    await Promise.all([query(sql("select pg_sleep(5)"), []), kill]);
  });
  expect(await refusal(asleep)).toMatchObject({ code: Code.Unavailable, reason: "DATABASE_UNAVAILABLE" });
  await guarded.transaction((query) => query(increment, [1]));
});

test.each([
  ["53100", "the database refuses writes: its disk is full"],
  ["53200", "the database is out of memory"],
  ["53300", "the database has no connection free"],
  ["25006", "the database refuses writes: it is read-only"],
  ["28P01", "the database refuses the password of its role"],
  ["28000", "the database refuses its role"],
  ["57P02", "the database is stopping"],
  ["57P03", "the database is starting, stopping or recovering"],
  ["58030", "the database cannot use its disk"],
  ["08006", "the database ended the connection"],
])("an answer of Postgres' with code %s is DATABASE_UNAVAILABLE: %s", async (code, message) => {
  const { guarded } = await setup();
  const raise = sql(`do $$ begin raise exception 'no' using errcode = '${code}'; end $$`);
  expect(await refusal(guarded.query(raise, []))).toEqual({
    code: Code.Unavailable,
    reason: "DATABASE_UNAVAILABLE",
    message,
    field: "",
  });
});

test("what a constraint refuses is passed on as it is", async () => {
  const { guarded } = await setup();
  const error = await guarded.query(sql("insert into probe values (1, 0)"), []).catch((reason: unknown) => reason);
  expect(violatedConstraint(error)).toBe("probe_pkey");
  expect(refusalOf(error)).toBeUndefined();
});
