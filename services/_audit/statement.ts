import type { Snapshot } from "./snapshot.ts";

/** One effect on money that the bank really had, as its statement says it. */
export interface StatementLine {
  /** When, as the bank writes it; for the report only. */
  readonly time: string;
  readonly bankRef: string;
  /** The bank reference of what was captured, reversed or refunded; empty when there is none. */
  readonly originalBankRef: string;
  /** Purchases and captures pay the merchant; refunds and reversals (purchases taken back whole) take from the merchant. */
  readonly kind: "purchase" | "capture" | "refund" | "reversal";
  /** Above zero, in minor units. */
  readonly amountMinor: bigint;
  /** ISO 4217, upper case. */
  readonly currencyCode: string;
}

/** Lines per insert: past a thousand the round trip no longer counts. */
const BATCH_LINES = 5_000;

const LOAD = `
  insert into audit_effect (line, time, bank_ref, original_bank_ref, kind, amount_minor, currency_code)
  select * from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[])`;

/**
 * Copies the bank's statement into the connection's own table, which Postgres keeps on disk when it is large: memory here
 * is one batch, and the comparisons are hash joins there, n log n at worst. Resolves with the number of lines.
 */
export async function loadStatement(snapshot: Snapshot, statement: AsyncIterable<StatementLine>): Promise<number> {
  let linesCount = 0;
  let batch: StatementLine[] = [];
  const flush = async () => {
    const column = <Value>(of: (line: StatementLine, index: number) => Value): Value[] => batch.map(of);
    await snapshot.query(LOAD, [
      column((_line, index) => linesCount + index + 1),
      column((line) => line.time),
      column((line) => line.bankRef),
      column((line) => line.originalBankRef),
      column((line) => line.kind),
      column((line) => line.amountMinor),
      column((line) => line.currencyCode),
    ]);
    linesCount += batch.length;
    batch = [];
  };
  for await (const line of statement) {
    batch.push(line);
    if (batch.length === BATCH_LINES) await flush();
  }
  if (batch.length > 0) await flush();
  await snapshot.query("analyze audit_effect");
  return linesCount;
}
