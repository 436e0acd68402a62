import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { type Invoice, type InvoiceLine, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { Query } from "../_database/connect.ts";
import { nullIfEmpty } from "../_database/rows/fields.ts";
import { type InvoiceRow, invoiceColumns, invoiceJoins, invoiceOf } from "../_database/rows/invoice.ts";
import { type InvoiceLineRow, invoiceLineColumns, invoiceLineJoins } from "../_database/rows/invoice-line.ts";
import { billingReasons, collectionMethods } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";

const INSERT = {
  name: "insert_invoice",
  text: `insert into invoice (account_id, invoice_id, revision, state, customer_id, subscription_id, period_index,
      currency_code, subtotal_minor, discount_minor, total_minor, amount_due_minor, paid_minor, description, footer,
      metadata, billing_reason, collection_method, is_auto_advancing, days_until_due, period_start_time,
      period_end_time, default_payment_method_id, attempt_count, next_attempt_time, is_paid_out_of_band, create_time)
    select $1, $2, 1, 'draft', $3, $4, $5, $6, 0, 0, 0, 0, 0, $7, $8, $9, $10, $11, $12, $13,
      coalesce($14, t.business_time), coalesce($15, t.business_time), $16, 0,
      case when $12 then t.business_time + $17 * interval '1 ms' end, false, t.business_time
    from (select business_now($1, $3) as business_time) t`,
};

const INSERT_LINES = {
  name: "insert_invoice_lines",
  text: `insert into invoice_line (account_id, invoice_line_id, invoice_id, position, description, quantity,
      unit_amount_minor, amount_minor, price_id, subscription_item_id, invoice_item_id, period_start_time,
      period_end_time, metadata)
    select $1, l.invoice_line_id, $2, l.position + coalesce(
        (select max(position) + 1 from invoice_line where account_id = $1 and invoice_id = $2), 0), l.description,
      l.quantity, l.unit_amount_minor, l.amount_minor, l.price_id, l.subscription_item_id, l.invoice_item_id,
      l.period_start_time, l.period_end_time, l.metadata
    from unnest($3::text[], $4::int[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::text[],
      $11::text[], $12::timestamptz[], $13::timestamptz[], $14::jsonb[])
      as l(invoice_line_id, position, description, quantity, unit_amount_minor, amount_minor, price_id,
        subscription_item_id, invoice_item_id, period_start_time, period_end_time, metadata)`,
};

/** An item is taken by one line, for its own amount: what another took or changed meanwhile is not updated, and the counts differ. */
const TAKE_ITEMS = {
  name: "take_invoice_items",
  text: `update invoice_item m set invoice_id = $2
    from unnest($3::text[], $6::bigint[]) as l(invoice_item_id, amount_minor)
    where m.account_id = $1 and m.invoice_item_id = l.invoice_item_id and m.customer_id = $4 and m.currency_code = $5
      and m.invoice_id is null and m.amount_minor = l.amount_minor
    returning m.invoice_item_id`,
};

const SUM = {
  name: "sum_invoice",
  text: `update invoice n set revision = n.revision + 1, subtotal_minor = t.sum, total_minor = t.sum,
      amount_due_minor = greatest(t.sum, 0)
    from (select coalesce(sum(amount_minor), 0)::bigint as sum from invoice_line
      where account_id = $1 and invoice_id = $2) t
    where n.account_id = $1 and n.invoice_id = $2`,
};

const LOCK = {
  name: "lock_invoice",
  text: `select ${invoiceColumns} from invoice n ${invoiceJoins}
    where n.account_id = $1 and n.invoice_id = $2 for no key update of n`,
};

const LINES = {
  name: "lines_of_invoice",
  text: `select ${invoiceLineColumns} from invoice_line l ${invoiceLineJoins}
    where l.account_id = $1 and l.invoice_id = $2 order by l.position`,
};

/** Which invoice. */
export interface InvoiceKey {
  readonly accountId: string;
  readonly invoiceId: string;
}

/** Inserts a draft with its lines and sums; it is due to be finalized after so many milliseconds, if by itself. */
export async function insertInvoice(
  query: Query,
  { accountId, invoice, holdMs }: { accountId: string; invoice: Invoice; holdMs: number },
): Promise<void> {
  const { periodStartTime, periodEndTime, subscriptionId } = invoice;
  await query(INSERT, [
    accountId,
    invoice.invoiceId,
    invoice.customerId,
    nullIfEmpty(subscriptionId),
    subscriptionId === "" ? null : invoice.periodIndex,
    invoice.currencyCode,
    invoice.description,
    invoice.footer,
    JSON.stringify(invoice.metadata),
    billingReasons.word(invoice.billingReason),
    collectionMethods.word(invoice.collectionMethod),
    invoice.isAutoAdvancing,
    invoice.daysUntilDue,
    periodStartTime === undefined ? null : timestampDate(periodStartTime),
    periodEndTime === undefined ? null : timestampDate(periodEndTime),
    nullIfEmpty(invoice.defaultPaymentMethodId),
    holdMs,
  ]);
  await addLines(query, { accountId, invoice, lines: invoice.lines });
}

/**
 * Adds lines to a draft and sums it again. A line made of an invoice item takes the item. Refuses with ABORTED, reason
 * INVOICE_ITEM_TAKEN, an item that is not there, not the customer's, of another currency or amount, or on a line already.
 */
export async function addLines(
  query: Query,
  { accountId, invoice, lines }: { accountId: string; invoice: Invoice; lines: readonly InvoiceLine[] },
): Promise<void> {
  const { invoiceId, customerId, currencyCode } = invoice;
  const ofItems = lines.filter((line) => line.invoiceItemId !== "");
  if (ofItems.length > 0) {
    const ids = ofItems.map((line) => line.invoiceItemId);
    const amounts = ofItems.map((line) => line.amountMinor);
    const taken = await query(TAKE_ITEMS, [accountId, invoiceId, ids, customerId, currencyCode, amounts]);
    // Of two lines of one item, one takes it.
    if (taken.length !== ids.length) {
      refuse(Code.Aborted, "INVOICE_ITEM_TAKEN", "an invoice item is not pending any more", "invoice.lines");
    }
  }
  const column = <Value>(of: (line: InvoiceLine, index: number) => Value): Value[] => lines.map(of);
  await query(INSERT_LINES, [
    accountId,
    invoiceId,
    column(({ invoiceLineId }) => (invoiceLineId === "" ? createId("il_") : invoiceLineId)),
    column((_, index) => index),
    column(({ description }) => description),
    column(({ quantity }) => quantity),
    column(({ unitAmountMinor }) => unitAmountMinor ?? null),
    column(({ amountMinor }) => amountMinor),
    column(({ priceId }) => nullIfEmpty(priceId)),
    column(({ subscriptionItemId }) => nullIfEmpty(subscriptionItemId)),
    column(({ invoiceItemId }) => nullIfEmpty(invoiceItemId)),
    column(({ periodStartTime }) => (periodStartTime === undefined ? null : timestampDate(periodStartTime))),
    column(({ periodEndTime }) => (periodEndTime === undefined ? null : timestampDate(periodEndTime))),
    column(({ metadata }) => JSON.stringify(metadata)),
  ]);
  await sumInvoice(query, { accountId, invoiceId });
}

/** Makes a draft's sums those of its lines. */
export async function sumInvoice(query: Query, { accountId, invoiceId }: InvoiceKey): Promise<void> {
  await query(SUM, [accountId, invoiceId]);
}

/**
 * Reads an invoice with its lines and holds it until the transaction ends. Refuses with INVOICE_NOT_FOUND, a provisional one
 * that is open too, unless it is asked for.
 */
export async function lockInvoice(
  query: Query,
  key: InvoiceKey,
  { orProvisional = false }: { orProvisional?: boolean } = {},
): Promise<Invoice> {
  const invoice = await lockInvoiceIfAny(query, key);
  if (invoice === undefined || (isProvisional(invoice) && !orProvisional)) {
    refuse(Code.NotFound, "INVOICE_NOT_FOUND", `no invoice ${key.invoiceId}`, "invoice_id");
  }
  return invoice;
}

/** Whether an invoice is that of a provisional subscription: of all that are open, only those have no number. */
export function isProvisional({ number, state }: Invoice): boolean {
  return number === "" && state === InvoiceState.OPEN;
}

/** Reads an invoice with its lines and holds it; undefined when it is not there. */
export async function lockInvoiceIfAny(
  query: Query,
  { accountId, invoiceId }: InvoiceKey,
): Promise<Invoice | undefined> {
  const [row] = await query<InvoiceRow>(LOCK, [accountId, invoiceId]);
  if (row === undefined) return undefined;
  return invoiceOf(row, await query<InvoiceLineRow>(LINES, [accountId, invoiceId]));
}

/** The invoice of a request that validation holds to have one. */
export function requiredInvoice(invoice: Invoice | undefined): Invoice {
  assert(invoice !== undefined, "validation requires the invoice");
  return invoice;
}
