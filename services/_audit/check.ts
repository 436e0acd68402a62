import type { Snapshot } from "./snapshot.ts";

/** One thing that must be true of the books, and the way to find what breaks it. */
export interface Check {
  /** In kebab-case, for the report and for tests. */
  readonly name: string;
  /** What must be true, as a sentence. */
  readonly sentence: string;
  /** Finds what breaks it. */
  find(snapshot: Snapshot): Promise<Offending>;
}

/** One row that breaks a check: names, numbers and times as the database has them; never a card number. */
export type Row = Readonly<Record<string, unknown>>;

/** What breaks a check: how many there are, and the first of them. */
export interface Offending {
  readonly count: number;
  readonly rows: readonly Row[];
}

/** Offending rows that are shown: enough to see a pattern; the count says the rest. */
export const ROWS_SHOWN = 20;

/**
 * Makes a check of one statement that selects the offending rows and nothing else. The statement may name $1, the
 * snapshot's time.
 */
export function checkSql(name: string, sentence: string, text: string): Check {
  return { name, sentence, find: (snapshot) => findRows(snapshot, text) };
}

/** Runs a statement that selects offending rows. Postgres counts them; only those that are shown are fetched. */
export async function findRows({ query, startTime }: Snapshot, text: string): Promise<Offending> {
  const counted = `select o.*, count(*) over () as offending_count from (${text}) o limit ${ROWS_SHOWN}`;
  const rows = await query<Row>(counted, text.includes("$1") ? [startTime] : []);
  const count = rows[0]?.["offending_count"] ?? 0;
  return { count: Number(count), rows: rows.map(({ offending_count: _, ...row }) => row) };
}

/** Counts offending rows that are found one by one, and keeps the first of them. */
export function createTally() {
  const rows: Row[] = [];
  let count = 0;
  return {
    add(row: Row): void {
      count += 1;
      if (rows.length < ROWS_SHOWN) rows.push(row);
    },
    total: (): Offending => ({ count, rows }),
  };
}
