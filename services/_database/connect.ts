import type { Kysely } from "kysely";
import { type Client, DatabaseError, Pool, type PoolClient } from "pg";
import { passCrashPoint } from "../_runtime/crash-points.ts";
import type { Log } from "../_runtime/log.ts";
import { clientConfig, createClient } from "./connect-client.ts";
import { createHeld, type Held } from "./connect-held.ts";
import { createKysely } from "./connect-kysely.ts";
import { outageOf } from "./outage.ts";

export { isRetryable, isUnavailable, violatedConstraint } from "./connect-client.ts";

/** A prepared statement. Its name stands for its text for good, on every connection; an empty name prepares nothing. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** The rows of a statement, and how many it returned, inserted, updated or deleted. */
export interface Result<Row> {
  readonly rows: Row[];
  readonly rowCount: number;
}

/** Runs one statement. How columns come is said at `createClient` (connect-client.ts); `Row` is the caller's word for it. */
export type Run = <Row>(statement: Statement, values: readonly unknown[]) => Promise<Result<Row>>;

/** As `Run`, the rows alone. */
export type Query = <Row>(statement: Statement, values: readonly unknown[]) => Promise<Row[]>;

/** One role's connections to the database. */
export interface Database<Tables = Record<string, Record<string, unknown>>> {
  /**
   * Runs a statement, a transaction of its own, on the least busy of a few held connections, without waiting for the
   * answers of those before it. Statements of one connection run in order, one at a time. A refusal of one leaves its
   * neighbours alone. Rejects with pg's error: see `isUnavailable`, `isRetryable`, `violatedConstraint`.
   */
  readonly query: Query;
  /**
   * Does the work between BEGIN and COMMIT on a connection of its own, and rolls back when the work rejects. The work gets
   * a `query` and a Kysely that run inside the transaction; it must await all it starts, and call nothing over the network.
   */
  transaction<Answer>(work: (query: Query, kysely: Kysely<Tables>) => Promise<Answer>): Promise<Answer>;
  /** Kysely over `query`: statements are named by their text. */
  readonly kysely: Kysely<Tables>;
  /** Rejects when the database does not answer; for a health check. */
  ping(): Promise<void>;
  /** Waits for what is under way, then closes every connection. */
  close(): Promise<void>;
}

/** Whose connections, and how many at most; the url is that role's own (see `setRoles` in roles.ts). */
export interface ConnectOptions {
  readonly url: string;
  readonly role: string;
  readonly connectionsMax: number;
  readonly log: Log;
}

/** Of the connections at most this many are held and pipelined: with two cores a third only adds backends to switch between. */
const heldMax = 2;

/** A transaction that finds no free connection for so long is refused as unavailable, before its caller's deadline. */
const poolWaitMs = 2_000;

/** The roles' statement_timeout of 5 s, and two for the way: a connection that is silent for longer is dead, and is dropped. */
const queryTimeoutMs = 7_000;

/** A pooled connection that no transaction used for so long is closed: its memory is worth more than the 5 ms of a new one. */
const poolIdleMs = 60_000;

/** Connects as one role. Returns at once: a query waits for the first connection, and connections that are lost come back. */
export function connectDatabase<Tables = Record<string, Record<string, unknown>>>(
  options: ConnectOptions,
): Database<Tables> {
  if (options.connectionsMax < 2) throw new Error("connectionsMax is at least 2: one held, one for transactions.");
  const client = { url: options.url, name: `tripe_${options.role}` };
  const heldCount = Math.min(heldMax, options.connectionsMax - 1);
  const held = Array.from({ length: heldCount }, () =>
    createHeld(() => createClient({ ...client, pipeline: true, queryTimeoutMs }), options.log),
  );
  const pool = new Pool({
    ...clientConfig({ ...client, queryTimeoutMs }),
    max: options.connectionsMax - heldCount,
    connectionTimeoutMillis: poolWaitMs,
    idleTimeoutMillis: poolIdleMs,
  });
  pool.on("error", (error) => options.log.warn("an idle database connection was lost", { error: error.message }));
  const run: Run = (statement, values) => runHeld(leastBusy(held), statement, values);
  return {
    query: rowsOf(run),
    kysely: createKysely<Tables>(run),
    transaction: (work) => runTransaction(pool, work),
    ping: async () => {
      await run({ name: "ping", text: "select 1" }, []);
    },
    close: async () => {
      await Promise.all([pool.end(), ...held.map((one) => one.close())]);
    },
  };
}

function leastBusy(held: readonly Held[]): Held {
  const [first, ...others] = held;
  if (first === undefined) throw new Error("A database has at least one held connection.");
  return others.reduce((least, one) => (one.usersCount < least.usersCount ? one : least), first);
}

async function runHeld<Row>(held: Held, statement: Statement, values: readonly unknown[]): Promise<Result<Row>> {
  held.usersCount += 1;
  try {
    return await runOn<Row>(await held.client(), statement, values);
  } finally {
    held.usersCount -= 1;
  }
}

async function runTransaction<Tables, Answer>(
  pool: Pool,
  work: (query: Query, kysely: Kysely<Tables>) => Promise<Answer>,
): Promise<Answer> {
  const client = await pool.connect();
  let broken: unknown;
  // A connection that dies between two statements says so in an event: with nobody to hear it, it would end the process.
  const onLost = (reason: unknown) => {
    broken = reason;
  };
  client.on("error", onLost);
  try {
    await runOn(client, BEGIN, []);
    const run: Run = (statement, values) => runOn(client, statement, values);
    const answer = await work(rowsOf(run), createKysely<Tables>(run));
    await commit(client);
    return answer;
  } catch (error) {
    // A connection that is dead, or cannot roll back, is not given to the next one; a dead one is not waited for again.
    if (isLost(error)) broken = error;
    else await client.query("rollback").catch((reason: unknown) => (broken = reason));
    throw error;
  } finally {
    client.release(broken !== undefined);
    client.off("error", onLost);
  }
}

/** Errors that Postgres itself gives come over a connection that lives; all others of an outage are the connection's own. */
function isLost(error: unknown): boolean {
  return !(error instanceof DatabaseError) && outageOf(error) !== undefined;
}

/** Postgres answers a COMMIT of a failed transaction with ROLLBACK and no error: work that swallowed an error is told. */
async function commit(client: PoolClient): Promise<void> {
  passCrashPoint({ place: "sql", name: "commit" }, "before");
  const { command } = await client.query("commit");
  passCrashPoint({ place: "sql", name: "commit" }, "after");
  if (command !== "COMMIT") throw new Error("A statement of this transaction failed and its error was not passed on.");
}

/** Unnamed for Postgres, which has nothing to prepare of it. */
const BEGIN: Statement = { name: "", text: "begin" };

async function runOn<Row>(
  client: Client | PoolClient,
  statement: Statement,
  values: readonly unknown[],
): Promise<Result<Row>> {
  const { name, text } = statement;
  const point = { place: "sql", name, text };
  passCrashPoint(point, "before");
  const config = { text, values: [...values], ...(name === "" ? {} : { name }) };
  const result = await client.query<Row & Record<string, unknown>>(config);
  passCrashPoint(point, "after");
  return { rows: result.rows, rowCount: result.rowCount ?? 0 };
}

function rowsOf(run: Run): Query {
  return async <Row>(statement: Statement, values: readonly unknown[]) => (await run<Row>(statement, values)).rows;
}
