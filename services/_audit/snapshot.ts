import { createClient } from "../_database/connect-client.ts";

/** One state of the whole database, looked at by many statements, while everybody else goes on. */
export interface Snapshot {
  /**
   * When the snapshot was taken, by the database's clock. What is overdue is judged by this: statements that run minutes
   * later still see the rows of that moment.
   */
  readonly startTime: Date;
  /** Runs one statement in the snapshot; after `release`, each sees what is committed by then. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Gives a statement's rows in sets of bounded size, so that a million of them never stand in memory. */
  stream<Row>(text: string, values?: readonly unknown[]): AsyncGenerator<Row[]>;
  /** Ends the snapshot and keeps the connection, with its temporary tables. */
  release(): Promise<void>;
  close(): Promise<void>;
}

/** What the audit keeps for itself, in this connection alone: the bank's statement, and those lines of it that fit nothing yet. */
const TEMPORARY = `
  create temp table audit_effect (line int not null, time text not null, bank_ref text not null, original_bank_ref text not null,
    kind text not null, amount_minor bigint not null, currency_code text not null);
  create temp table audit_unknown_effect (like audit_effect)`;

/** Sorts and hashes of a check over millions of rows stay in memory up to this, then go to disk; one check runs at a time. */
const WORK_MEMORY = "64MB";

/** A check over some ten million rows is done within it; pg's usual limit of ten seconds is for services. */
const QUERY_MAX_MS = 3_600_000;

/** Rows of a stream fetched at once: some megabytes with the largest rows there are. */
const FETCH_ROWS = 2_000;

/**
 * Opens a snapshot as the audit's role: REPEATABLE READ, READ ONLY, on one connection. The role's rights are to read and
 * no more; temporary tables are the connection's own. Rejects when the database is away (`isUnavailable`).
 */
export async function openSnapshot(url: string): Promise<Snapshot> {
  const client = createClient({ url, name: "tripe_audit" });
  // A connection that is lost rejects the statement that runs; this only keeps it from being thrown as well.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query(`begin read write; ${TEMPORARY}; commit`);
    await client.query(`set work_mem = '${WORK_MEMORY}'`);
    await client.query("begin isolation level repeatable read, read only");
    // The first statement takes the snapshot.
    const { rows } = await client.query<{ start_time: Date }>("select statement_timestamp() as start_time");
    if (rows[0] === undefined) throw new Error("The database did not say what time it is");
    return createSnapshot(client, rows[0].start_time);
  } catch (error) {
    await client.end();
    throw error;
  }
}

function createSnapshot(client: ReturnType<typeof createClient>, startTime: Date): Snapshot {
  let cursorsCount = 0;
  const query = async <Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> => {
    const statement = { text, values: [...values], query_timeout: QUERY_MAX_MS };
    const { rows } = await client.query<Row & Record<string, unknown>>(statement);
    return rows;
  };
  return {
    startTime,
    query,
    async *stream<Row>(text: string, values: readonly unknown[] = []) {
      cursorsCount += 1;
      const cursor = `audit_${cursorsCount}`;
      await query(`declare ${cursor} no scroll cursor for ${text}`, values);
      for (;;) {
        const rows = await query<Row>(`fetch ${FETCH_ROWS} from ${cursor}`);
        if (rows.length === 0) break;
        yield rows;
      }
      await query(`close ${cursor}`);
    },
    release: async () => {
      await query("commit");
    },
    close: () => client.end(),
  };
}
