import { Code } from "@connectrpc/connect";
import type { Query } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";
import { INVOICE_TEXT_MAX_BYTES } from "../_runtime/limits.ts";

const LINES = {
  name: "size_of_lines",
  text: `select sum(octet_length(metadata::text) + octet_length(to_json(description)::text))::float8 as bytes
    from invoice_line where account_id = $1 and invoice_id = $2`,
};

const PENDING = {
  name: "size_of_pending_items",
  text: `select sum(octet_length(metadata::text) + octet_length(to_json(description)::text))::float8 as bytes
    from invoice_item where account_id = $1 and customer_id = $2 and invoice_id is null`,
};

/**
 * Refuses, with FAILED_PRECONDITION and reason INVOICE_TEXT_TOO_LONG, lines that say more than what can be sent, shown and
 * told as one invoice; the caller holds its row.
 */
export async function refuseLongLines(query: Query, key: { accountId: string; invoiceId: string }): Promise<void> {
  await refuseLong(query, LINES, [key.accountId, key.invoiceId]);
}

/** Refuses as `refuseLongLines` what a customer's next invoice would not hold; the caller holds the customer's row. */
export async function refuseLongItems(query: Query, key: { accountId: string; customerId: string }): Promise<void> {
  await refuseLong(query, PENDING, [key.accountId, key.customerId]);
}

async function refuseLong(query: Query, statement: typeof LINES, values: readonly string[]): Promise<void> {
  const [row] = await query<{ bytes: number | null }>(statement, [...values]);
  if ((row?.bytes ?? 0) <= INVOICE_TEXT_MAX_BYTES) return;
  const message = `the lines of an invoice hold at most ${INVOICE_TEXT_MAX_BYTES} bytes of descriptions and metadata`;
  refuse(Code.FailedPrecondition, "INVOICE_TEXT_TOO_LONG", message, "metadata");
}
