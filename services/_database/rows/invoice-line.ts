import { create } from "@bufbuild/protobuf";
import { type InvoiceLine, InvoiceLineSchema } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { timestampOf } from "./fields.ts";

/** The columns of a line, from `invoice_line l` and `price p` (left). */
export const invoiceLineColumns = `l.invoice_id, l.invoice_line_id, l.description, l.quantity, l.unit_amount_minor,
  l.amount_minor, l.price_id, p.product_id, l.subscription_item_id, l.invoice_item_id, l.period_start_time,
  l.period_end_time, l.metadata`;

/** What `invoiceLineColumns` are read from, after `invoice_line l`. */
export const invoiceLineJoins = "left join price p on p.account_id = l.account_id and p.price_id = l.price_id";

/** A row of `invoiceLineColumns`. */
export interface InvoiceLineRow {
  readonly invoice_id: string;
  readonly invoice_line_id: string;
  readonly description: string;
  readonly quantity: bigint;
  readonly unit_amount_minor: bigint | null;
  readonly amount_minor: bigint;
  readonly price_id: string | null;
  readonly product_id: string | null;
  readonly subscription_item_id: string | null;
  readonly invoice_item_id: string | null;
  readonly period_start_time: Date | null;
  readonly period_end_time: Date | null;
  readonly metadata: Record<string, string>;
}

/** The line of a row; a line of a subscription's item is of its invoice's subscription. */
export function invoiceLineOf(row: InvoiceLineRow, subscriptionId: string): InvoiceLine {
  return create(InvoiceLineSchema, {
    invoiceLineId: row.invoice_line_id,
    description: row.description,
    quantity: row.quantity,
    ...(row.unit_amount_minor !== null && { unitAmountMinor: row.unit_amount_minor }),
    amountMinor: row.amount_minor,
    priceId: row.price_id ?? "",
    productId: row.product_id ?? "",
    subscriptionItemId: row.subscription_item_id ?? "",
    subscriptionId: row.subscription_item_id === null ? "" : subscriptionId,
    invoiceItemId: row.invoice_item_id ?? "",
    periodStartTime: timestampOf(row.period_start_time),
    periodEndTime: timestampOf(row.period_end_time),
    metadata: row.metadata,
  });
}
