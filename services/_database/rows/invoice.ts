import { create, type JsonValue } from "@bufbuild/protobuf";
import {
  type Invoice,
  type InvoiceItem,
  InvoiceItemSchema,
  type InvoicePayment,
  InvoicePaymentSchema,
  InvoiceSchema,
} from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { billingDetailsOf, timestampOf } from "./fields.ts";
import { type InvoiceLineRow, invoiceLineOf } from "./invoice-line.ts";
import { attachedDefault } from "./payment-method.ts";
import { billingReasons, collectionMethods, invoicePaymentStates, invoiceStates } from "./words.ts";

/**
 * The columns of an invoice, from `invoice n`, `customer u` and `account a`. A draft shows its customer as of now; a
 * finalized one as of then.
 */
export const invoiceColumns = `n.invoice_id, n.number, n.state, n.customer_id, n.currency_code, n.subtotal_minor,
  coalesce(n.customer_details, jsonb_strip_nulls(jsonb_build_object('address', u.address, 'email', u.email, 'name', u.name,
    'phone', u.phone))) as customer_details,
  n.discount_minor, n.total_minor, n.amount_due_minor, n.paid_minor, n.description, n.footer, n.metadata, n.revision,
  n.billing_reason, n.collection_method, n.is_auto_advancing, n.days_until_due, n.due_time, n.subscription_id,
  n.period_index, n.period_start_time, n.period_end_time, ${attachedDefault("n")}, n.attempt_count,
  n.next_attempt_time, n.charge_id, n.is_paid_out_of_band, n.create_time, n.finalize_time, n.pay_time, n.void_time,
  n.uncollectible_time, n.send_time, n.pdf_sha256, a.is_live,
  (select b.period_start_time from invoice b where b.account_id = n.account_id and b.subscription_id = n.subscription_id
    and b.period_index = n.period_index - 1) as previous_period_start_time,
  coalesce(n.subscription_metadata, (select s.metadata from subscription s
    where s.account_id = n.account_id and s.subscription_id = n.subscription_id), '{}') as subscription_metadata`;

/** What `invoiceColumns` are read from, after `invoice n`. */
export const invoiceJoins = `join customer u on u.account_id = n.account_id and u.customer_id = n.customer_id
  join account a on a.account_id = n.account_id`;

/** A row of `invoiceColumns`. */
export interface InvoiceRow {
  readonly invoice_id: string;
  readonly number: string | null;
  readonly state: string;
  readonly customer_id: string;
  readonly currency_code: string;
  readonly customer_details: JsonValue;
  readonly subtotal_minor: bigint;
  readonly discount_minor: bigint;
  readonly total_minor: bigint;
  readonly amount_due_minor: bigint;
  readonly paid_minor: bigint;
  readonly description: string;
  readonly footer: string;
  readonly metadata: Record<string, string>;
  readonly revision: number;
  readonly billing_reason: string;
  readonly collection_method: string;
  readonly is_auto_advancing: boolean;
  readonly days_until_due: number;
  readonly due_time: Date | null;
  readonly subscription_id: string | null;
  readonly period_index: number | null;
  readonly period_start_time: Date;
  readonly period_end_time: Date;
  readonly default_payment_method_id: string | null;
  readonly attempt_count: number;
  readonly next_attempt_time: Date | null;
  readonly charge_id: string | null;
  readonly is_paid_out_of_band: boolean;
  readonly create_time: Date;
  readonly finalize_time: Date | null;
  readonly pay_time: Date | null;
  readonly void_time: Date | null;
  readonly uncollectible_time: Date | null;
  readonly send_time: Date | null;
  readonly pdf_sha256: Buffer | null;
  readonly is_live: boolean;
  readonly previous_period_start_time: Date | null;
  readonly subscription_metadata: Record<string, string>;
}

/** The invoice of a row, with its lines where they are given. */
export function invoiceOf(row: InvoiceRow, lines: readonly InvoiceLineRow[] = []): Invoice {
  return create(InvoiceSchema, {
    invoiceId: row.invoice_id,
    number: row.number ?? "",
    state: invoiceStates.of(row.state),
    customerId: row.customer_id,
    currencyCode: row.currency_code,
    customerDetails: billingDetailsOf(row.customer_details),
    lines: lines.map((line) => invoiceLineOf(line, row.subscription_id ?? "")),
    subtotalMinor: row.subtotal_minor,
    discountMinor: row.discount_minor,
    totalMinor: row.total_minor,
    paidMinor: row.paid_minor,
    amountDue: { amountMinor: row.amount_due_minor - row.paid_minor, currencyCode: row.currency_code },
    description: row.description,
    footer: row.footer,
    metadata: row.metadata,
    revision: row.revision,
    billingReason: billingReasons.of(row.billing_reason),
    collectionMethod: collectionMethods.of(row.collection_method),
    isAutoAdvancing: row.is_auto_advancing,
    daysUntilDue: row.days_until_due,
    dueTime: timestampOf(row.due_time),
    ...(row.due_time !== null && { dueDate: dateOf(row.due_time) }),
    subscriptionId: row.subscription_id ?? "",
    periodIndex: row.period_index ?? 0,
    periodStartTime: timestampOf(row.period_start_time),
    periodEndTime: timestampOf(row.period_end_time),
    defaultPaymentMethodId: row.default_payment_method_id ?? "",
    attemptCount: row.attempt_count,
    nextAttemptTime: timestampOf(row.next_attempt_time),
    chargeId: row.charge_id ?? "",
    isPaidOutOfBand: row.is_paid_out_of_band,
    createTime: timestampOf(row.create_time),
    finalizeTime: timestampOf(row.finalize_time),
    payTime: timestampOf(row.pay_time),
    voidTime: timestampOf(row.void_time),
    uncollectibleTime: timestampOf(row.uncollectible_time),
    sendTime: timestampOf(row.send_time),
    ...(row.pdf_sha256 !== null && { pdfSha256: row.pdf_sha256 }),
    isLive: row.is_live,
    previousPeriodStartTime: timestampOf(row.previous_period_start_time),
    subscriptionMetadata: row.subscription_metadata,
  });
}

/** The day of a moment, in UTC. */
function dateOf(time: Date) {
  return { year: time.getUTCFullYear(), month: time.getUTCMonth() + 1, day: time.getUTCDate() };
}

/** The columns of an invoice item, from `invoice_item m`, `price p` (left) and `account a`. */
export const invoiceItemColumns = `m.invoice_item_id, m.customer_id, m.invoice_id, m.currency_code, m.amount_minor,
  m.quantity, m.unit_amount_minor, m.price_id, p.product_id, m.description, m.period_start_time, m.period_end_time,
  m.metadata, m.create_time, a.is_live`;

/** What `invoiceItemColumns` are read from, after `invoice_item m`. */
export const invoiceItemJoins = `left join price p on p.account_id = m.account_id and p.price_id = m.price_id
  join account a on a.account_id = m.account_id`;

/** A row of `invoiceItemColumns`. */
export interface InvoiceItemRow {
  readonly invoice_item_id: string;
  readonly customer_id: string;
  readonly invoice_id: string | null;
  readonly currency_code: string;
  readonly amount_minor: bigint;
  readonly quantity: bigint;
  readonly unit_amount_minor: bigint | null;
  readonly price_id: string | null;
  readonly product_id: string | null;
  readonly description: string;
  readonly period_start_time: Date;
  readonly period_end_time: Date;
  readonly metadata: Record<string, string>;
  readonly create_time: Date;
  readonly is_live: boolean;
}

/** The invoice item of a row. */
export function invoiceItemOf(row: InvoiceItemRow): InvoiceItem {
  return create(InvoiceItemSchema, {
    invoiceItemId: row.invoice_item_id,
    customerId: row.customer_id,
    invoiceId: row.invoice_id ?? "",
    currencyCode: row.currency_code,
    amountMinor: row.amount_minor,
    quantity: row.quantity,
    ...(row.unit_amount_minor !== null && { unitAmountMinor: row.unit_amount_minor }),
    priceId: row.price_id ?? "",
    productId: row.product_id ?? "",
    description: row.description,
    periodStartTime: timestampOf(row.period_start_time),
    periodEndTime: timestampOf(row.period_end_time),
    metadata: row.metadata,
    createTime: timestampOf(row.create_time),
    isLive: row.is_live,
  });
}

/** The columns of a payment of an invoice, from `invoice_payment y` and `account a`. */
export const invoicePaymentColumns = `y.invoice_payment_id, y.invoice_id, y.charge_id, y.amount_minor, y.currency_code,
  y.state, y.create_time, y.pay_time, a.is_live`;

/** A row of `invoicePaymentColumns`. */
export interface InvoicePaymentRow {
  readonly invoice_payment_id: string;
  readonly invoice_id: string;
  readonly charge_id: string | null;
  readonly amount_minor: bigint;
  readonly currency_code: string;
  readonly state: string;
  readonly create_time: Date;
  readonly pay_time: Date | null;
  readonly is_live: boolean;
}

/** The payment of a row. */
export function invoicePaymentOf(row: InvoicePaymentRow): InvoicePayment {
  return create(InvoicePaymentSchema, {
    invoicePaymentId: row.invoice_payment_id,
    invoiceId: row.invoice_id,
    chargeId: row.charge_id ?? "",
    amount: { amountMinor: row.amount_minor, currencyCode: row.currency_code },
    state: invoicePaymentStates.of(row.state),
    createTime: timestampOf(row.create_time),
    payTime: timestampOf(row.pay_time),
    isLive: row.is_live,
  });
}
