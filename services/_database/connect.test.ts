import { expect, test } from "vitest";
import { silentLog } from "../_runtime/log.ts";
import { connectDatabase, isRetryable, isUnavailable, violatedConstraint } from "./connect.ts";
import { createTestDatabase } from "./testing.ts";

const log = silentLog;
const { urls } = await createTestDatabase();

interface Tables {
  item: { id: bigint; note: string | null };
}

async function setup() {
  const owner = connectDatabase<Tables>({ url: urls.owner, role: "owner", connectionsMax: 4, log });
  await owner.query({ name: "", text: "drop table if exists item" }, []);
  await owner.query({ name: "", text: "create table item (id bigint primary key, note text)" }, []);
  return owner;
}

const insert = { name: "item_insert", text: "insert into item (id) select unnest($1::bigint[]) returning id" };
const count = { name: "item_count", text: "select count(*) as count from item" };

test("a value comes back as the type its column promises", async () => {
  await using database = disposable(await setup());
  const text = `select 9007199254740993::int8 as big, array[1, null, 9007199254740993]::int8[] as bigs,
    date '2026-02-28' as day, array[date '2026-02-28'] as days, timestamptz '2026-02-28T10:00:00Z' as moment,
    '{"a": [1]}'::jsonb as object, '\\x00ff'::bytea as bytes, 1.10::numeric as exact, array['a', 'b'] as words`;
  expect(await database.query({ name: "all_types", text }, [])).toEqual([
    {
      big: 9007199254740993n,
      bigs: [1n, null, 9007199254740993n],
      day: "2026-02-28",
      days: ["2026-02-28"],
      moment: new Date("2026-02-28T10:00:00Z"),
      object: { a: [1] },
      bytes: Buffer.from([0, 255]),
      exact: "1.10",
      words: ["a", "b"],
    },
  ]);
});

test("arrays of bigint go in as arrays", async () => {
  await using database = disposable(await setup());
  expect(await database.query(insert, [[1n, 2n, 9007199254740993n]])).toEqual([
    { id: 1n },
    { id: 2n },
    { id: 9007199254740993n },
  ]);
});

test("a refused statement names its constraint and leaves its neighbours in the pipeline alone", async () => {
  await using database = disposable(await setup());
  await database.query(insert, [[1n]]);
  const results = await Promise.allSettled(
    [[[2n]], [[1n]], [[3n]], [[4n]]].map((values) => database.query(insert, values)),
  );
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
  const reason: unknown = results.find((result) => result.status === "rejected")?.reason;
  expect(violatedConstraint(reason)).toBe("item_pkey");
  expect([isUnavailable(reason), isRetryable(reason)]).toEqual([false, false]);
});

test("a transaction commits as a whole", async () => {
  await using database = disposable(await setup());
  const answer = await database.transaction(async (query, kysely) => {
    await query(insert, [[1n]]);
    await kysely.insertInto("item").values({ id: 2n, note: "two" }).execute();
    return query(count, []);
  });
  expect(answer).toEqual([{ count: 2n }]);
  expect(await database.query(count, [])).toEqual([{ count: 2n }]);
});

test("a transaction whose work rejects leaves nothing, and its connection serves the next", async () => {
  await using database = disposable(await setup());
  const work = database.transaction(async (query) => {
    await query(insert, [[1n]]);
    throw new Error("no");
  });
  await expect(work).rejects.toThrow("no");
  await expect(database.transaction((query) => query(count, []))).resolves.toEqual([{ count: 0n }]);
});

test("a transaction that hid a statement's error is told that nothing was committed", async () => {
  await using database = disposable(await setup());
  const work = database.transaction(async (query) => {
    await query(insert, [[1n]]);
    await query(insert, [[1n]]).catch(() => undefined);
  });
  await expect(work).rejects.toThrow("its error was not passed on");
  expect(await database.query(count, [])).toEqual([{ count: 0n }]);
});

test("a deadlock's victim is retryable", async () => {
  await using database = disposable(await setup());
  await database.query(insert, [[1n, 2n]]);
  const lock = { name: "item_lock", text: "select id from item where id = $1 for update" };
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const results = await Promise.allSettled([
    database.transaction(async (query) => {
      await query(lock, [1n]);
      first.resolve();
      await second.promise;
      await query(lock, [2n]);
    }),
    database.transaction(async (query) => {
      await first.promise;
      await query(lock, [2n]);
      second.resolve();
      await query(lock, [1n]);
    }),
  ]);
  const failed = results.filter((result) => result.status === "rejected");
  expect(failed.map((result) => isRetryable(result.reason))).toEqual([true]);
});

test("kysely runs over the held connections and prepares each statement once", async () => {
  await using database = disposable(await setup());
  await database.kysely
    .insertInto("item")
    .values([{ id: 1n, note: "a" }])
    .execute();
  const read = (id: bigint) => database.kysely.selectFrom("item").select("note").where("id", "=", id).execute();
  expect(await Promise.all([1n, 1n, 2n].map(read))).toEqual([[{ note: "a" }], [{ note: "a" }], []]);
  const updated = await database.kysely.updateTable("item").set({ note: "b" }).executeTakeFirst();
  expect(updated.numUpdatedRows).toBe(1n);
  await expect(database.kysely.transaction().execute(async () => undefined)).rejects.toThrow("Database.transaction");
});

test("a lost connection rejects its queries as unavailable and comes back by itself", async () => {
  await using database = disposable(await setup());
  await using other = disposable(connectDatabase({ url: urls.owner, role: "owner", connectionsMax: 2, log }));
  const sleeping = database.query({ name: "sleep", text: "select pg_sleep(10)" }, []).catch((error: unknown) => error);
  const kill = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query like 'select pg_sleep%' and pid <> pg_backend_pid()`;
  await expect.poll(async () => (await other.query({ name: "kill", text: kill }, [])).length).toBe(1);
  expect(isUnavailable(await sleeping)).toBe(true);
  await expect.poll(() => database.query(count, []).catch(() => "away")).toEqual([{ count: 0n }]);
});

test("nobody listening is unavailable, at once", async () => {
  const url = "postgres://tripe@127.0.0.1:22999/tripe?sslmode=disable";
  await using database = disposable(connectDatabase({ url, role: "owner", connectionsMax: 2, log }));
  const error = await database.ping().catch((reason: unknown) => reason);
  expect(isUnavailable(error)).toBe(true);
  const inTransaction = await database.transaction(async () => undefined).catch((reason: unknown) => reason);
  expect(isUnavailable(inTransaction)).toBe(true);
});

function disposable<Value extends { close(): Promise<void> }>(value: Value): Value & AsyncDisposable {
  return { ...value, [Symbol.asyncDispose]: () => value.close() };
}
