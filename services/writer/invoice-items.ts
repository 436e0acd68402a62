import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { type Invoice, type InvoiceItem, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type {
  CreateInvoiceItemRequest,
  DeleteInvoiceItemRequest,
  UpdateInvoiceItemRequest,
} from "../../gen/tripe/writer/v1/invoices_pb.ts";
import type { Query } from "../_database/connect.ts";
import { nullIfEmpty } from "../_database/rows/fields.ts";
import { type InvoiceItemRow, invoiceItemColumns, invoiceItemJoins, invoiceItemOf } from "../_database/rows/invoice.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { giveCurrency } from "./customer-currency.ts";
import { lockCustomer, refuseDeleted } from "./customer-lock.ts";
import { type EventDraft, told } from "./event-drafts.ts";
import { lineOfItem } from "./final-invoice.ts";
import { addLines, lockInvoice, sumInvoice } from "./invoice-rows.ts";
import { refuseLongItems, refuseLongLines } from "./invoice-size.ts";
import { invoiceEvents, refuseNotEditable } from "./invoices.ts";
import { applyMask } from "./masks.ts";
import { patchMetadata } from "./metadata.ts";
import { type Effect, once } from "./once.ts";
import { nounOf, snapshotOf } from "./snapshots.ts";

const INSERT = {
  name: "insert_invoice_item",
  text: `insert into invoice_item (account_id, invoice_item_id, customer_id, currency_code, amount_minor, quantity,
      unit_amount_minor, price_id, description, period_start_time, period_end_time, metadata, create_time)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10, t.business_time), coalesce($11, t.business_time), $12,
      t.business_time
    from (select business_now($1, $3) as business_time) t`,
};

const LOCK = {
  name: "lock_invoice_item",
  text: `select ${invoiceItemColumns} from invoice_item m ${invoiceItemJoins}
    where m.account_id = $1 and m.invoice_item_id = $2 for no key update of m`,
};

const LOCK_INVOICE = {
  name: "lock_invoice_of_item",
  text: `select 1 from invoice_item m
    join invoice n on n.account_id = m.account_id and n.invoice_id = m.invoice_id
    where m.account_id = $1 and m.invoice_item_id = $2 for no key update of n`,
};

const UPDATE = {
  name: "update_invoice_item",
  text: `with lined as (
      update invoice_line set description = $3, amount_minor = $4, quantity = $5, unit_amount_minor = $6, metadata = $7
      where account_id = $1 and invoice_item_id = $2
    )
    update invoice_item set description = $3, amount_minor = $4, quantity = $5, unit_amount_minor = $6, metadata = $7
    where account_id = $1 and invoice_item_id = $2`,
};

const DELETE_LINE = {
  name: "delete_line_of_item",
  text: "delete from invoice_line where account_id = $1 and invoice_item_id = $2",
};

const DELETE = {
  name: "delete_invoice_item",
  text: "delete from invoice_item where account_id = $1 and invoice_item_id = $2",
};

const UPDATABLE = ["description", "amount_minor", "quantity", "unit_amount_minor"];

/**
 * Makes an item: pending, or at once a line of the draft it names. Refuses a finalized invoice, and with
 * INVOICE_OF_OTHER_CUSTOMER and INVOICE_OF_OTHER_CURRENCY a draft that the item does not fit.
 */
export async function createInvoiceItem(dependencies: WriterDependencies, request: CreateInvoiceItemRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, invoiceItem: item } = request;
    assert(item !== undefined, "validation requires the item");
    // The invoice before its customer, as whoever finalizes it locks them.
    const draft = item.invoiceId === "" ? undefined : await lockDraft(query, accountId, item.invoiceId);
    if (draft !== undefined) refuseUnfit(draft, item);
    const customer = await lockCustomer(query, { accountId, customerId: item.customerId });
    refuseDeleted(customer);
    const priced = await giveCurrency(query, { accountId, customer, currencyCode: item.currencyCode });
    await insert(query, accountId, item);
    if (draft === undefined) await refuseLongItems(query, { accountId, customerId: item.customerId });
    else {
      const pending = await lockItem(query, accountId, item.invoiceItemId);
      await addToDraft(query, { accountId, invoice: draft, item: pending });
    }
    const made = await lockItem(query, accountId, item.invoiceItemId);
    const created = told("invoiceitem.created", "invoiceItem", made);
    return effectOf(made, [...priced, created, ...(await changeOf(query, accountId, draft))]);
  });
  return { invoiceItem: nounOf(answer, "invoiceItem"), isReplayed };
}

/**
 * Changes an item, and the draft's line made of it. Refuses one that a finalized invoice holds. The draft's change is told;
 * of an item's own change Stripe has no event.
 */
export async function updateInvoiceItem(dependencies: WriterDependencies, request: UpdateInvoiceItemRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, invoiceItem: change } = request;
    assert(change !== undefined, "validation requires the item");
    const { item: current, draft } = await lockEditable(query, accountId, change.invoiceItemId);
    const next = applyMask(current, change, request.updateMask?.paths ?? [], UPDATABLE);
    await query(UPDATE, [
      accountId,
      change.invoiceItemId,
      next.description,
      next.amountMinor,
      next.quantity,
      next.unitAmountMinor ?? null,
      JSON.stringify(patchMetadata(current.metadata, request.metadataPatch)),
    ]);
    const { customerId, invoiceId } = current;
    if (invoiceId === "") await refuseLongItems(query, { accountId, customerId });
    else {
      await sumInvoice(query, { accountId, invoiceId });
      await refuseLongLines(query, { accountId, invoiceId });
    }
    const after = await lockItem(query, accountId, change.invoiceItemId);
    return effectOf(after, await changeOf(query, accountId, draft));
  });
  return { invoiceItem: nounOf(answer, "invoiceItem"), isReplayed };
}

/** Deletes an item, and the draft's line made of it. Refuses one that a finalized invoice holds. */
export async function deleteInvoiceItem(dependencies: WriterDependencies, request: DeleteInvoiceItemRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, invoiceItemId } = request;
    const { item: current, draft } = await lockEditable(query, accountId, invoiceItemId);
    await query(DELETE_LINE, [accountId, invoiceItemId]);
    await query(DELETE, [accountId, invoiceItemId]);
    if (current.invoiceId !== "") await sumInvoice(query, { accountId, invoiceId: current.invoiceId });
    const deleted = told("invoiceitem.deleted", "invoiceItem", current);
    return effectOf(current, [deleted, ...(await changeOf(query, accountId, draft))]);
  });
  return { invoiceItem: nounOf(answer, "invoiceItem"), isReplayed };
}

async function insert(query: Query, accountId: string, item: InvoiceItem): Promise<void> {
  const { periodStartTime, periodEndTime } = item;
  await query(INSERT, [
    accountId,
    item.invoiceItemId,
    item.customerId,
    item.currencyCode,
    item.amountMinor,
    item.quantity,
    item.unitAmountMinor ?? null,
    nullIfEmpty(item.priceId),
    item.description,
    periodStartTime === undefined ? null : timestampDate(periodStartTime),
    periodEndTime === undefined ? null : timestampDate(periodEndTime),
    JSON.stringify(item.metadata),
  ]);
}

function refuseUnfit({ invoiceId, customerId, currencyCode }: Invoice, item: InvoiceItem): void {
  if (item.customerId !== customerId) {
    const message = `the invoice ${invoiceId} is another customer's`;
    refuse(Code.FailedPrecondition, "INVOICE_OF_OTHER_CUSTOMER", message, "invoice_item.customer_id");
  }
  if (item.currencyCode !== currencyCode) {
    const message = `the invoice ${invoiceId} is in ${currencyCode}`;
    refuse(Code.FailedPrecondition, "INVOICE_OF_OTHER_CURRENCY", message, "invoice_item.currency_code");
  }
}

async function addToDraft(
  query: Query,
  { accountId, invoice, item }: { accountId: string; invoice: Invoice; item: InvoiceItem },
): Promise<void> {
  await addLines(query, { accountId, invoice, lines: [lineOfItem(item)] });
  await refuseLongLines(query, { accountId, invoiceId: invoice.invoiceId });
}

/** The invoice, if any, before the item, as whoever deletes a draft locks them. */
async function lockEditable(query: Query, accountId: string, invoiceItemId: string) {
  await query(LOCK_INVOICE, [accountId, invoiceItemId]);
  const item = await lockItem(query, accountId, invoiceItemId);
  return { item, draft: item.invoiceId === "" ? undefined : await lockDraft(query, accountId, item.invoiceId) };
}

/** That a draft whose row is held has another line, or another sum. */
async function changeOf(query: Query, accountId: string, draft: Invoice | undefined): Promise<EventDraft[]> {
  if (draft === undefined) return [];
  const { invoiceId } = draft;
  return invoiceEvents(await lockInvoice(query, { accountId, invoiceId }), [], draft);
}

async function lockDraft(query: Query, accountId: string, invoiceId: string): Promise<Invoice> {
  const invoice = await lockInvoice(query, { accountId, invoiceId });
  return invoice.state === InvoiceState.DRAFT ? invoice : refuseNotEditable(invoice);
}

async function lockItem(query: Query, accountId: string, invoiceItemId: string): Promise<InvoiceItem> {
  const [row] = await query<InvoiceItemRow>(LOCK, [accountId, invoiceItemId]);
  if (row === undefined) {
    refuse(Code.NotFound, "INVOICE_ITEM_NOT_FOUND", `no invoice item ${invoiceItemId}`, "invoice_item_id");
  }
  return invoiceItemOf(row);
}

function effectOf(invoiceItem: InvoiceItem, events: readonly EventDraft[]): Effect {
  return { answer: snapshotOf("invoiceItem", invoiceItem), nounId: invoiceItem.invoiceItemId, events };
}
